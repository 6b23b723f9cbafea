{{/* Parts that several manifests have in common. */}}

{{- define "segue.name" -}}
{{- /* A release may have dots in its name, and be longer; what was changed for that stays apart by a part of its hash. */ -}}
{{- $full := printf "%s-%s" .Release.Name .Chart.Name -}}
{{- $plain := $full | replace "." "-" -}}
{{- if and (eq $plain $full) (le (len $full) 50) -}}
{{- $full -}}
{{- else -}}
{{- printf "%s-%s" ($plain | trunc 41 | trimSuffix "-") ($full | sha256sum | trunc 8) -}}
{{- end -}}
{{- end -}}

{{- define "segue.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "segue.labels" -}}
{{ include "segue.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "segue.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "segue.secret" -}}
{{- .Values.database.existingSecret | default (include "segue.name" .) -}}
{{- end -}}

{{/* These three get a dict: top is what every template gets, own are the values of the server or the workers. */}}
{{- define "segue.environment" -}}
{{- $own := .own -}}
{{- with .top -}}
- name: SEGUE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "segue.secret" . }}
      key: {{ .Values.database.key }}
- name: SEGUE_APP
  value: {{ .Values.app | quote }}
- name: SEGUE_NAMESPACE
  value: {{ .Values.namespace | quote }}
{{- with concat .Values.env ($own.env | default list) }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The checksum: pods begin anew with another URL of the database, where the chart makes the secret of it. */}}
{{- define "segue.annotations" -}}
{{- if or .Values.podAnnotations (not .Values.database.existingSecret) -}}
annotations:
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if not .Values.database.existingSecret }}
  checksum/database: {{ .Values.database.url | sha256sum }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "segue.pod" -}}
{{- $own := .own -}}
{{- with .top -}}
serviceAccountName: {{ include "segue.name" . }}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  {{- with concat .Values.volumes ($own.volumes | default list) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "segue.container" -}}
{{- $own := .own -}}
{{- $environment := include "segue.environment" . -}}
{{- with .top -}}
image: {{ include "segue.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- with concat .Values.volumeMounts ($own.volumeMounts | default list) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- $environment | nindent 2 }}
{{- end -}}
{{- end -}}
