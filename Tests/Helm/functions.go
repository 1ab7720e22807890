package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

// functions are sprig's without those that read the environment, and Helm's own (pkg/engine/funcs.go).
func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	for name, function := range (template.FuncMap{
		"toYaml":        toYAML,
		"fromYaml":      fromYAML,
		"fromYamlArray": fromYAMLArray,
		"toJson":        toJSON,
		"fromJson":      fromJSON,
		"fromJsonArray": fromJSONArray,
		"required":      required,
		"include": func(name string, scope interface{}) (string, error) {
			var text strings.Builder
			err := root.ExecuteTemplate(&text, name, scope)
			return text.String(), err
		},
		"tpl": func(text string, scope interface{}) (string, error) {
			inner, err := template.Must(root.Clone()).New("tpl").Parse(text)
			if err != nil {
				return "", err
			}
			var result strings.Builder
			err = inner.Execute(&result, scope)
			return result.String(), err
		},
		// There is no cluster to look in, as with `helm template`.
		"lookup": func(apiVersion, kind, namespace, name string) values { return values{} },
	}) {
		all[name] = function
	}
	return all
}

func toYAML(value interface{}) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

func fromYAML(text string) (values, error) {
	value := values{}
	err := yaml.Unmarshal([]byte(text), &value)
	return value, err
}

func fromYAMLArray(text string) ([]interface{}, error) {
	list := []interface{}{}
	err := yaml.Unmarshal([]byte(text), &list)
	return list, err
}

func toJSON(value interface{}) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

func fromJSON(text string) (values, error) {
	value := values{}
	err := json.Unmarshal([]byte(text), &value)
	return value, err
}

func fromJSONArray(text string) ([]interface{}, error) {
	list := []interface{}{}
	err := json.Unmarshal([]byte(text), &list)
	return list, err
}

func required(message string, value interface{}) (interface{}, error) {
	if value == nil || fmt.Sprint(value) == "" {
		return nil, errors.New(message)
	}
	return value, nil
}
