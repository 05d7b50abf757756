{{/* What the operator's pods have in common, whether they operate or wind down. */}}
{{- define "operator.pod" -}}
serviceAccountName: gpu-sharing-operator
{{- with .Values.operator.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.operator.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.operator.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.operator.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "operator.container" -}}
image: {{ include "image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
# The readable part of the identity in the Lease.
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
resources: {{- toYaml .Values.operator.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "operator.command" -}}
- gpu-sharing-operator
- --lease-namespace={{ .Release.Namespace }}
- --device-plugin-namespace={{ .Values.devicePlugin.namespace }}
- --device-plugin-configmap={{ .Values.devicePlugin.configMap }}
- --device-plugin-config-delay={{ .Values.devicePlugin.configDelay }}
- --restart-device-plugin={{ .Values.devicePlugin.restart }}
{{- range .Values.devicePlugin.refresh }}
- --refresh-selector={{ . }}
{{- end }}
- --allow-force={{ .Values.operator.allowForce }}
- --log-level={{ .Values.log.level }}
- --log-format={{ .Values.log.format }}
{{- end }}
