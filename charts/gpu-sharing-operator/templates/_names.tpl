{{/* Names are fixed: one operator serves a cluster. */}}
{{- define "image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels of every object of a component. Call with (dict "root" $ "component" "agent"). */}}
{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* Labels by which a component's pods are found; they can never change. */}}
{{- define "selector" -}}
app.kubernetes.io/part-of: gpu-sharing-operator
app.kubernetes.io/name: gpu-sharing-{{ .component }}
{{- end }}

{{/* Both programs serve these on their admin port. */}}
{{- define "probes" -}}
livenessProbe:
  httpGet: {path: /healthz, port: admin}
  periodSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 5
{{- end }}
