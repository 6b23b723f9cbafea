{{/* Values that cannot be, all of them at once: each sentence names the value and what to do. What each value may look
     like by itself is in values.schema.json, but for what may hold a password, which a schema would print. */}}

{{- define "segue.refusals" -}}
{{- include "segue.refusals.image" . -}}
{{- include "segue.refusals.database" . -}}
{{- include "segue.refusals.env" . -}}
{{- include "segue.refusals.volumes" . -}}
{{- include "segue.refusals.server" . -}}
{{- include "segue.refusals.worker" . -}}
{{- end -}}

{{- define "segue.refuse" -}}
{{- $found := include "segue.refusals" . | trim -}}
{{- if $found -}}
{{- fail (printf "\n%s" $found) -}}
{{- end -}}
{{- end -}}

{{- define "segue.refusals.image" -}}
{{- $repository := .Values.image.repository -}}
{{- if not $repository }}
image.repository is empty: name your own image, made FROM the one of deploy/Dockerfile
{{- else if contains "@" $repository }}
image.repository has a digest in it ({{ $repository }}): put it into image.digest
{{- else if contains ":" (base $repository) }}
image.repository has a tag in it ({{ $repository }}): put it into image.tag
{{- end }}
{{- end -}}

{{- define "segue.refusals.database" -}}
{{- $database := .Values.database -}}
{{- if and $database.existingSecret $database.url }}
database.existingSecret and database.url are both set, which are two databases: leave one of them
{{- else if not (or $database.existingSecret $database.url) }}
no database: set database.existingSecret to a secret that holds its URL, or database.url
{{- end }}
{{- if contains "://" $database.existingSecret }}
database.existingSecret holds a URL: it is the name of a secret; put the URL into that secret, or into database.url
{{- else if and $database.existingSecret (not (regexMatch "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" $database.existingSecret)) }}
database.existingSecret is no name of a secret: those are of lower-case letters, digits, dots and dashes
{{- end }}
{{- if and $database.url (not (regexMatch "^postgres(ql)?://[^\\s]+$" $database.url)) }}
database.url is no URL of a PostgreSQL database: write postgresql://user:password@host/database, without spaces
{{- end }}
{{- end -}}

{{- define "segue.refusals.env" -}}
{{- $instead := dict
    "SEGUE_URL" "database.existingSecret or database.url"
    "SEGUE_APP" "app"
    "SEGUE_NAMESPACE" "namespace"
    "SEGUE_PORT" "server.port" -}}
{{- $seen := dict -}}
{{- range $place, $env := dict "env" .Values.env "server.env" .Values.server.env "worker.env" .Values.worker.env }}
{{- $own := ternary $seen (deepCopy $seen) (eq $place "env") }}
{{- range $env }}
{{- if hasKey $own .name }}
{{ $place }} has {{ .name }} twice{{ if ne $place "env" }}, or env has it too{{ end }}: leave one of them
{{- end }}
{{- $_ := set $own .name true }}
{{- if hasKey $instead .name }}
{{ $place }} has {{ .name }}, which the chart sets itself: leave it out and set {{ get $instead .name }}
{{- else if eq .name "SEGUE_SERVER" }}
{{ $place }} has SEGUE_SERVER, but these pods open the database themselves: leave it out
{{- end }}
{{- if and (hasKey . "value") (hasKey . "valueFrom") }}
{{ $place }} has {{ .name }} with both value and valueFrom: leave one of them
{{- end }}
{{- if and (hasKey . "value") (not (kindIs "string" .value)) }}
{{ $place }} has {{ .name }} with a value that is no text: put it in quotes
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "segue.refusals.volumes" -}}
{{- $named := dict "tmp" true -}}
{{- $mounted := dict "/tmp" true -}}
{{- range $whose, $values := dict "" .Values "server." .Values.server "worker." .Values.worker }}
{{- $volumes := ternary $named (deepCopy $named) (eq $whose "") }}
{{- range $values.volumes }}
{{- if eq .name "tmp" }}
{{ $whose }}volumes has one that is called tmp, as the chart's own is: give it another name
{{- else if hasKey $volumes .name }}
{{ $whose }}volumes has {{ .name }} twice{{ if $whose }}, or volumes has it too{{ end }}: leave one of them, or give it another name
{{- end }}
{{- $_ := set $volumes .name true }}
{{- end }}
{{- $paths := ternary $mounted (deepCopy $mounted) (eq $whose "") }}
{{- range $values.volumeMounts }}
{{- if not (hasKey $volumes .name) }}
{{ $whose }}volumeMounts has {{ .name }}, and {{ $whose }}volumes has none of that name: add it there
{{- end }}
{{- $path := clean .mountPath }}
{{- if eq $path "/tmp" }}
{{ $whose }}volumeMounts has {{ .name }} at /tmp, where the chart's own is: mount it elsewhere
{{- else if hasKey $paths $path }}
{{ $whose }}volumeMounts has {{ $path }} twice{{ if $whose }}, or volumeMounts has it too{{ end }}: leave one of them
{{- end }}
{{- $_ := set $paths $path true }}
{{- end }}
{{- end }}
{{- if and .Values.podAnnotations (hasKey .Values.podAnnotations "checksum/database") }}
podAnnotations has checksum/database, which the chart sets itself: leave it out
{{- end }}
{{- end -}}

{{- define "segue.refusals.server" -}}
{{- $ingress := .Values.server.ingress -}}
{{- if $ingress.enabled }}
{{- if not .Values.server.enabled }}
server.ingress.enabled is true and server.enabled is false: there would be nothing behind it; change one of them
{{- end }}
{{- if not $ingress.host }}
server.ingress.host is empty: name the host under which the server is reached
{{- else if not (regexMatch "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" $ingress.host) }}
server.ingress.host is {{ $ingress.host | quote }}, which is no host: write it in lower case, without scheme, port and path
{{- end }}
{{- end }}
{{- end -}}

{{- define "segue.refusals.worker" -}}
{{- $scaling := .Values.worker.autoscaling -}}
{{- if $scaling.enabled }}
{{- if eq (int .Values.worker.replicas) 0 }}
worker.replicas is 0 and worker.autoscaling.enabled is true, which would start workers all the same: switch it off to have none
{{- end }}
{{- if lt (int $scaling.minReplicas) 1 }}
worker.autoscaling.minReplicas is {{ $scaling.minReplicas }}: make it 1 at least, for without workers nobody says how much there is to do
{{- else if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
worker.autoscaling.minReplicas is {{ $scaling.minReplicas }} and maxReplicas {{ $scaling.maxReplicas }}: lower the first or raise the second
{{- end }}
{{- end }}
{{- end -}}
