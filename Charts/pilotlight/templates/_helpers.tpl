{{/* What the pods of a part are known by. It never changes: a Deployment's selector cannot. Takes the part's name. */}}
{{- define "pilotlight.selector" -}}
app.kubernetes.io/name: pilotlight
app.kubernetes.io/component: {{ . }}
{{- end }}

{{/* Labels of every object. Takes the root scope and the part's name. */}}
{{- define "pilotlight.labels" -}}
{{ include "pilotlight.selector" .component }}
{{ include "pilotlight.release" .root }}
{{- end }}

{{/* Labels that say which release an object is of. Takes the root scope. */}}
{{- define "pilotlight.release" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Name, namespace and labels of a part's object. Takes the root scope and the part's name. */}}
{{- define "pilotlight.metadata" -}}
name: pilotlight-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "pilotlight.labels" . | nindent 2 }}
{{- end }}

{{- define "pilotlight.image" -}}
{{- if .digest }}{{ printf "%s@%s" .repository .digest }}{{ else }}{{ printf "%s:%s" .repository .tag }}{{ end }}
{{- end }}

{{/* The flags that both commands have, as a list in JSON. Takes the root scope. */}}
{{- define "pilotlight.arguments" -}}
{{- $arguments := list "--admin-listen=0.0.0.0:9090" (printf "--namespace=%s" .Release.Namespace) }}
{{- if ne .Values.logLevel "info" }}{{ $arguments = append $arguments (printf "--log-level=%s" .Values.logLevel) }}{{ end }}
{{- if ne .Values.logFormat "json" }}{{ $arguments = append $arguments (printf "--log-format=%s" .Values.logFormat) }}{{ end }}
{{- toJson $arguments }}
{{- end }}

{{/* Metadata of a part's pods. Takes the root scope, the part's name and its values. */}}
{{- define "pilotlight.podMetadata" -}}
{{- $annotations := dict }}
{{- if .root.Values.metrics.annotations }}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/port" "9090" "prometheus.io/path" "/metrics" }}
{{- end }}
{{- with mergeOverwrite $annotations .part.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- include "pilotlight.selector" .component | nindent 2 }}
  {{- with .part.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What every pod keeps to, and where it runs. Takes the root scope, the part's name and its values. */}}
{{- define "pilotlight.podSpec" -}}
serviceAccountName: pilotlight-{{ .component }}
automountServiceAccountToken: true
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.topologySpreadConstraints }}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "pilotlight.selector" $.component | fromYaml)) }}
topologySpreadConstraints:
  {{- range . }}
  - {{- merge (deepCopy .) $own | toYaml | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What every container has. Takes the root scope, the part's name and its values. */}}
{{- define "pilotlight.container" -}}
name: {{ .component }}
image: {{ include "pilotlight.image" (dict "repository" .root.Values.image.repository "digest" .root.Values.image.digest "tag" (default .root.Chart.AppVersion .root.Values.image.tag)) | quote }}
{{- with .root.Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
env:
  - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
  {{- if eq .component "gateway" }}
  # Owns the Lease with the gateway's key.
  - { name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
  {{- end }}
  {{- with .part.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
readinessProbe: { httpGet: { path: /readyz, port: admin }, periodSeconds: 2 }
livenessProbe: { httpGet: { path: /healthz, port: admin }, periodSeconds: 10, failureThreshold: 6 }
resources:
  {{- toYaml .part.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Egress that both parts need. Takes the root scope. */}}
{{- define "pilotlight.commonEgress" -}}
# DNS, wherever it runs: a cache on each node has an address that no selector finds.
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
# The API server. A policy sees its own address and port, not its Service's, and they differ by provider.
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
{{- end }}

{{/* A part's PodDisruptionBudget. Takes the root scope, the part's name and its values. */}}
{{- define "pilotlight.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "pilotlight.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .part.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow # a pod that is not ready never blocks a drain
  selector:
    matchLabels:
      {{- include "pilotlight.selector" .component | nindent 6 }}
{{- end }}
