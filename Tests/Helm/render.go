// Renders a chart as `helm template` does: Go's text/template, sprig, and the functions that Helm adds
// (https://helm.sh/docs/chart_template_guide/function_list). It needs no Helm, only Debian's
// golang-go, golang-github-masterminds-sprig-dev and golang-github-ghodss-yaml-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o render Tests/Helm/*.go
//	render [-release NAME] [-namespace NAME] [-f FILE]... [-notes] CHART
//
// Values are not checked against values.schema.json here, and the CRDs of a folder crds/ are not printed.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/ghodss/yaml"
)

// release is what a template sees as .Release.
type release struct {
	Name, Namespace, Service string
	IsInstall, IsUpgrade     bool
	Revision                 int
}

// metadata is what a template sees as .Chart.
type metadata struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	AppVersion  string `json:"appVersion"`
	Description string `json:"description"`
	KubeVersion string `json:"kubeVersion"`
	Type        string `json:"type"`
}

// files is what a template sees as .Files: what lies in the chart beside templates and values.
type files map[string]string

// Get answers with the text of a file, or with none where it is missing, as Helm does.
func (f files) Get(name string) string { return f[name] }

type values = map[string]interface{}

type chart struct {
	metadata  metadata
	values    values
	templates map[string]string
	files     files
}

func main() {
	log.SetFlags(0)
	name := flag.String("release", "pilotlight", "name of the release")
	namespace := flag.String("namespace", "default", "namespace of the release")
	notes := flag.Bool("notes", false, "print NOTES.txt instead of the objects")
	var overrides overrideFiles
	flag.Var(&overrides, "f", "file with values; may be repeated, the last one wins")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: render [-release NAME] [-namespace NAME] [-f FILE]... [-notes] CHART")
	}
	loaded, err := load(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range overrides {
		given := values{}
		if err := readYAML(path, &given); err != nil {
			log.Fatal(err)
		}
		merge(loaded.values, given)
	}
	rendered, err := render(loaded, release{
		Name: *name, Namespace: *namespace, Service: "Helm", IsInstall: true, Revision: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range sortedKeys(rendered) {
		isNotes := filepath.Base(path) == "NOTES.txt"
		if isNotes && *notes {
			fmt.Print(rendered[path])
		} else if !isNotes && !*notes && strings.TrimSpace(rendered[path]) != "" {
			fmt.Printf("---\n# Source: %s\n%s\n", path, rendered[path])
		}
	}
}

type overrideFiles []string

func (o *overrideFiles) String() string         { return strings.Join(*o, ",") }
func (o *overrideFiles) Set(value string) error { *o = append(*o, value); return nil }

func load(folder string) (*chart, error) {
	loaded := &chart{values: values{}, templates: map[string]string{}, files: files{}}
	if err := readYAML(filepath.Join(folder, "Chart.yaml"), &loaded.metadata); err != nil {
		return nil, err
	}
	if err := readYAML(filepath.Join(folder, "values.yaml"), &loaded.values); err != nil {
		return nil, err
	}
	reserved := map[string]bool{"Chart.yaml": true, "values.yaml": true, "values.schema.json": true, ".helmignore": true}
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(relative, "templates/"):
			loaded.templates[loaded.metadata.Name+"/"+relative] = string(text)
		case !reserved[relative] && !strings.HasPrefix(relative, "crds/"):
			loaded.files[relative] = string(text)
		}
		return nil
	})
	return loaded, err
}

// readYAML reads by way of JSON, as Helm does: a number in the values is a float64.
func readYAML(path string, into interface{}) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// merge lays the given values over the chart's own: maps by key, all else as a whole; null takes a default away.
func merge(onto, given values) {
	for key, value := range given {
		inner, isMap := value.(values)
		present, hasMap := onto[key].(values)
		switch {
		case value == nil:
			delete(onto, key)
		case isMap && hasMap:
			merge(present, inner)
		default:
			onto[key] = value
		}
	}
}

func render(chart *chart, release release) (map[string]string, error) {
	root := template.New("gotpl").Option("missingkey=zero")
	root.Funcs(functions(root))
	for _, path := range sortedKeys(chart.templates) {
		if _, err := root.New(path).Parse(chart.templates[path]); err != nil {
			return nil, err
		}
	}
	rendered := map[string]string{}
	for path := range chart.templates {
		if strings.HasPrefix(filepath.Base(path), "_") {
			continue
		}
		scope := map[string]interface{}{
			"Values": chart.values, "Release": release, "Chart": chart.metadata, "Files": chart.files,
			"Capabilities": map[string]interface{}{
				"KubeVersion": map[string]string{"Version": "v1.33.0", "Major": "1", "Minor": "33"},
			},
			"Template": map[string]string{"Name": path, "BasePath": chart.metadata.Name + "/templates"},
		}
		var text strings.Builder
		if err := root.ExecuteTemplate(&text, path, scope); err != nil {
			return nil, err
		}
		// What Go's template prints for a key that is not there, Helm does not print.
		rendered[path] = strings.ReplaceAll(text.String(), "<no value>", "")
	}
	return rendered, nil
}

func sortedKeys(texts map[string]string) []string {
	keys := make([]string, 0, len(texts))
	for key := range texts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
