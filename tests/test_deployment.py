"""What is in deploy/: the chart is linted and rendered by Helm's own engine, the manifests held against Kubernetes'
schemas, and the alerts and the runbook against the product."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.runtime.incidents import REMEDIES

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "secrets.md").read_text(encoding="utf-8")
SECRETS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]

DATABASE = {"database": {"existingSecret": "database"}}
FULL = {
    "database": {"url": "postgresql://segue:secret@db/segue"},
    "image": {"repository": "shop", "tag": "7"},
    "imagePullSecrets": [{"name": "pull"}],
    "env": [{"name": "SEGUE_LEASE", "value": "20"}],
    "server": {
        "base": "/segue",
        "ingress": {"enabled": True, "host": "segue.example", "tlsSecret": "tls"},
        "volumes": [{"name": "provider", "configMap": {"name": "provider"}}],
        "volumeMounts": [{"name": "provider", "mountPath": "/app/segue.toml", "subPath": "segue.toml"}],
    },
    "worker": {
        "autoscaling": {"enabled": True},
        "env": [{"name": "SEGUE_SECRETS", "value": "/run/segue-secrets"}],
        "volumes": [{"name": "passwords", "secret": {"secretName": "passwords"}}],
        "volumeMounts": [{"name": "passwords", "mountPath": "/run/segue-secrets", "readOnly": True}],
    },
    "volumes": [{"name": "authority", "secret": {"secretName": "authority"}}],
    "volumeMounts": [{"name": "authority", "mountPath": "/etc/authority", "readOnly": True}],
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "podAnnotations": {"team": "shop"},
}


def scaled(values: dict[str, Any]) -> dict[str, Any]:
    return DATABASE | {"worker": {"autoscaling": {"enabled": True} | values}}


def render(values: dict[str, Any], release: str = "shop") -> dict[tuple[str, str], Any]:
    """The manifests, by kind and name."""
    helm = pytest.importorskip("helm_python")
    rendered = helm.Chart.load(CHART).render(values, name=release, namespace="orders")
    texts = [text for path, text in rendered.items() if path.endswith(".yaml")]
    found = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def containers(manifests: dict[tuple[str, str], Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each container with its pod."""
    pods = [each["spec"]["template"]["spec"] for (kind, _), each in manifests.items() if kind in ("Deployment", "Job")]
    return [(pod, container) for pod in pods for container in pod["containers"]]


# --- the chart --------------------------------------------------------------------------------------------------------


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    helm = pytest.importorskip("helm_python")
    found = helm.lint(CHART, DATABASE, strict=True)
    assert found["total_charts_linted"] == 1
    assert [each["error"] for each in found["messages"] if "icon is recommended" not in each["error"]] == []


@pytest.mark.parametrize("values", [DATABASE, FULL], ids=["least", "most"])
def test_kubernetes_takes_what_it_renders(values: dict[str, Any]) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate")
    manifests = render(values)
    for manifest in manifests.values():
        kubernetes.validate(manifest, "1.31", strict=True)
    kinds = {kind for kind, _ in manifests}
    assert kinds >= {"Deployment", "Service", "PodDisruptionBudget", "Job", "ServiceAccount"}
    assert ({"HorizontalPodAutoscaler", "Ingress", "Secret"} <= kinds) == (values is FULL)


@pytest.mark.parametrize("values", [DATABASE, FULL], ids=["least", "most"])
def test_nothing_runs_as_root_or_holds_a_password_in_its_manifest(values: dict[str, Any]) -> None:
    manifests = render(values)
    for pod, container in containers(manifests):
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["resources"]["limits"]["memory"]
    rest = [each for (kind, _), each in manifests.items() if kind != "Secret"]
    assert "secret@db" not in yaml.safe_dump_all(rest)


def test_pods_are_found_by_their_own_service_and_budget_only() -> None:
    manifests = render(FULL)
    for component in ("server", "worker"):
        labels = manifests["Deployment", f"shop-segue-{component}"]["spec"]["template"]["metadata"]["labels"]
        for (kind, name), each in manifests.items():
            if kind not in ("Service", "PodDisruptionBudget", "Deployment"):
                continue
            selector = each["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            mine = selector.items() <= labels.items()
            assert mine == (each["metadata"]["labels"]["app.kubernetes.io/component"] == component), name


@pytest.mark.parametrize("number", [0, 1])
def test_secrets_come_to_pods_as_their_page_says(number: int) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate")
    own = SECRETS[number]["worker"]
    manifests = render(DATABASE | SECRETS[number])
    for pod, container in containers(manifests):
        has = container["name"] == "worker"
        assert (own["env"][0] in container["env"]) == has
        assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
        assert all((mount in container["volumeMounts"]) == has for mount in own.get("volumeMounts", []))
    for manifest in manifests.values():
        kubernetes.validate(manifest, "1.31", strict=True)


def test_secrets_come_to_composed_workers_as_their_page_says() -> None:
    more = SECRETS[2]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert more["services"].keys() == {"worker"} <= compose["services"].keys()
    assert more["services"]["worker"]["secrets"] == list(more["secrets"])
    assert more["services"]["worker"]["environment"] == {"SEGUE_SECRETS": "/run/secrets"}


def test_a_worker_gets_longer_to_end_than_its_steps() -> None:
    pod = render(DATABASE | {"worker": {"grace": 40}})["Deployment", "shop-segue-worker"]["spec"]["template"]["spec"]
    arguments = pod["containers"][0]["args"]
    assert arguments[arguments.index("--grace") + 1] == "40s"
    assert pod["terminationGracePeriodSeconds"] > 40


def test_pods_begin_anew_with_another_url_of_the_database() -> None:
    def sums(url: str) -> set[str]:
        manifests = render(FULL | {"database": {"url": url}})
        pods = [each["spec"]["template"] for (kind, _), each in manifests.items() if kind == "Deployment"]
        assert all(pod["metadata"]["annotations"]["team"] == "shop" for pod in pods)
        return {pod["metadata"]["annotations"]["checksum/database"] for pod in pods}

    assert sums("postgresql://db/segue") == sums("postgresql://db/segue")
    assert sums("postgresql://db/segue").isdisjoint(sums("postgresql://db/other"))


def test_nodes_are_drained_and_servers_replaced_without_a_fuss() -> None:
    manifests = render(FULL)
    budgets = [each["spec"] for (kind, _), each in manifests.items() if kind == "PodDisruptionBudget"]
    assert [budget["unhealthyPodEvictionPolicy"] for budget in budgets] == ["AlwaysAllow"] * 2
    server = manifests["Deployment", "shop-segue-server"]["spec"]["template"]["spec"]["containers"][0]
    assert server["lifecycle"]["preStop"], "requests that are on their way still find it"


def test_every_pod_has_what_is_given_to_all_and_to_its_own_kind() -> None:
    own = {"server": "provider", "worker": "passwords"}
    for pod, container in containers(render(FULL)):
        volumes = {"tmp", "authority"} | ({own[container["name"]]} if container["name"] in own else set())
        assert {each["name"] for each in container["volumeMounts"]} == volumes
        assert {each["name"] for each in pod["volumes"]} == volumes
        names = [each["name"] for each in container["env"]]
        assert "SEGUE_LEASE" in names
        assert ("SEGUE_SECRETS" in names) == (container["name"] == "worker")


def test_an_image_is_named_by_its_digest_where_one_is_given() -> None:
    digest = f"sha256:{'0a' * 32}"
    images = {c["image"] for _, c in containers(render(FULL | {"image": {"repository": "shop", "digest": digest}}))}
    assert images == {f"shop@{digest}"}
    assert {container["image"] for _, container in containers(render(FULL))} == {"shop:7"}


def test_two_releases_stand_beside_each_other_whatever_their_names() -> None:
    first, second = (set(render(DATABASE, name)) for name in ("shop.eu", "shop.us"))
    assert first.isdisjoint(second)
    names = [name for kind, name in first if kind == "Service"]
    assert [re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) is not None for name in names] == [True]
    for alike in (("shop.eu", "shop-eu"), ("a" * 50 + "eu", "a" * 50 + "us")):
        first, second = (set(render(DATABASE, name)) for name in alike)
        assert first.isdisjoint(second), "their hooks would take each other's account and secret away"


REFUSED = [
    ({}, "no database: set database.existingSecret"),
    (DATABASE | {"namespace": "team a"}, "/namespace"),
    (DATABASE | {"image": {"repository": "shop", "digest": "0a1b"}}, "/image/digest"),
    (DATABASE | {"image": {"repository": "shop", "tag": f"sha256:{'0a' * 32}"}}, "/image/tag"),
    (DATABASE | {"image": {"repository": "shop 7"}}, "/image/repository"),
    (DATABASE | {"image": {"repository": ""}}, "image.repository is empty: name your own image"),
    (DATABASE | {"image": {"repository": "hub.example:5000/shop:7"}}, "a tag in it .*: put it into image.tag"),
    (DATABASE | {"image": {"repository": "shop@sha256:0a"}}, "a digest in it .*: put it into image.digest"),
    ({"database": {"existingSecret": "database", "url": "postgresql://db/segue"}}, "two databases: leave one"),
    ({"database": {"existingSecret": "My Secret"}}, "database.existingSecret is no name of a secret"),
    ({"database": {"existingSecret": "database", "key": "a/b"}}, "/database/key"),
    ({"database": {"url": "sqlite:///x"}}, "database.url is no URL of a PostgreSQL database: write"),
    ({"database": {"url": "postgresql://db/segue "}}, "without spaces"),
    ({"database": None}, "database"),
    (DATABASE | {"modules": []}, "/modules"),
    (DATABASE | {"modules": ["--host"]}, "/modules/0"),
    (DATABASE | {"wokers": {}}, "wokers"),
    (DATABASE | {"env": [{"name": "SEGUE_URL", "value": "postgresql://b/c"}]}, "SEGUE_URL, .* or database.url"),
    (DATABASE | {"env": [{"name": "SEGUE_APP", "value": "shop"}]}, "SEGUE_APP, .*: leave it out and set app"),
    (DATABASE | {"env": [{"name": "SEGUE_NAMESPACE", "value": "a"}]}, "SEGUE_NAMESPACE, .* and set namespace"),
    (DATABASE | {"env": [{"name": "SEGUE_PORT", "value": "8000"}]}, "SEGUE_PORT, .* and set server.port"),
    (DATABASE | {"env": [{"name": "SEGUE_SERVER", "value": "http://a"}]}, "SEGUE_SERVER, .*: leave it out"),
    (DATABASE | {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "env has A twice"),
    (DATABASE | {"env": [{"name": "A", "value": 1}]}, "A with a value that is no text: put it in quotes"),
    (DATABASE | {"env": [{"name": "A", "value": "1", "valueFrom": {}}]}, "both value and valueFrom: leave one"),
    (DATABASE | {"env": [{"name": "A", "valeu": "1"}]}, "valeu"),
    (
        DATABASE | {"worker": {"env": [{"name": "SEGUE_URL", "value": "x"}]}},
        "worker.env has SEGUE_URL, .* database.url",
    ),
    (DATABASE | {"server": {"env": [{"name": "A", "value": 1}]}}, "server.env has A with a value that is no text"),
    (
        DATABASE | {"env": [{"name": "A", "value": "1"}], "worker": {"env": [{"name": "A", "value": "2"}]}},
        "worker.env has A twice, or env has it too: leave one",
    ),
    (
        DATABASE | {"volumes": [{"name": "a"}], "server": {"volumes": [{"name": "a"}]}},
        "server.volumes has a twice, or volumes has it too",
    ),
    (
        DATABASE
        | {"server": {"volumes": [{"name": "a"}]}, "worker": {"volumeMounts": [{"name": "a", "mountPath": "/a"}]}},
        "worker.volumeMounts has a, and worker.volumes has none",
    ),
    (DATABASE | {"volumes": [{"name": "tmp", "emptyDir": {}}]}, "called tmp, .*: give it another name"),
    (DATABASE | {"volumes": [{"name": "a"}, {"name": "a"}]}, "volumes has a twice"),
    (DATABASE | {"volumeMounts": [{"name": "a", "mountPath": "/a"}]}, "volumeMounts has a, .*: add it there"),
    (
        DATABASE | {"volumes": [{"name": "a"}], "volumeMounts": [{"name": "a", "mountPath": "/tmp/"}]},
        "a at /tmp, where",
    ),
    (
        DATABASE | {"volumes": [{"name": "a"}], "volumeMounts": [{"name": "a", "mountPath": p} for p in ("/a", "/a/")]},
        "volumeMounts has /a twice",
    ),
    (DATABASE | {"podAnnotations": {"checksum/database": "x"}}, "podAnnotations has checksum/database"),
    (DATABASE | {"server": {"replicas": None}}, "replicas"),
    (DATABASE | {"server": {"base": '/a"b'}}, "/server/base"),
    (DATABASE | {"server": {"service": {"type": "ClusterIp"}}}, "/server/service/type"),
    (DATABASE | {"server": {"ingress": {"enabled": True}}}, "server.ingress.host is empty: name the host"),
    (DATABASE | {"server": {"ingress": {"enabled": True, "hosts": ["a"]}}}, "hosts"),
    (
        DATABASE | {"server": {"ingress": {"enabled": True, "host": "https://a.example"}}},
        "no host: write it .* without",
    ),
    (
        DATABASE | {"server": {"enabled": False, "ingress": {"enabled": True, "host": "a"}}},
        "nothing behind it; change one",
    ),
    (scaled({"minReplicas": 5, "maxReplicas": 2}), "minReplicas is 5 and maxReplicas 2: lower the first or raise"),
    (scaled({"minReplicas": 11}), "minReplicas is 11 and maxReplicas 10: lower the first or raise"),
    (scaled({"minReplicas": 0}), "minReplicas is 0: make it 1 at least"),
    (scaled({"target": "70%"}), "/worker/autoscaling/target"),
    (scaled({"enable": True}), "enable"),
    (
        DATABASE | {"worker": {"replicas": 0, "autoscaling": {"enabled": True}}},
        "worker.replicas is 0 .*: switch it off",
    ),
    (DATABASE | {"worker": {"disruption": {"minAvailable": 1}}}, "minAvailable"),
]


@pytest.mark.parametrize(("values", "problem"), REFUSED, ids=[problem for _, problem in REFUSED])
def test_values_that_cannot_be_are_refused(values: dict[str, Any], problem: str) -> None:
    helm = pytest.importorskip("helm_python")
    with pytest.raises(helm.HelmError, match=problem):
        render(values)


def test_everything_that_cannot_be_is_said_at_once() -> None:
    helm = pytest.importorskip("helm_python")
    with pytest.raises(helm.HelmError) as refused:
        render({"image": {"repository": ""}, "env": [{"name": "SEGUE_APP", "value": "shop"}]})
    assert [word for word in ("image.repository", "no database", "SEGUE_APP") if word not in str(refused.value)] == []


@pytest.mark.parametrize("wrong", ["postgress://ann:tr0ub4dor@db/segue", "postgresql://ann:tr0ub4dor@db /segue"])
@pytest.mark.parametrize("value", ["url", "existingSecret"])
def test_a_refusal_does_not_print_the_password(value: str, wrong: str) -> None:
    helm = pytest.importorskip("helm_python")
    with pytest.raises(helm.HelmError) as refused:
        render({"database": {value: wrong}})
    assert f"database.{value}" in str(refused.value)
    assert "tr0ub4dor" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        {"worker": {"replicas": 0}, "server": {"replicas": 0}},  # as for the restore of a backup
        {"worker": {"autoscaling": {"enabled": False, "minReplicas": 5, "maxReplicas": 2}}},
        {"worker": {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 3, "target": 0.7}}},
        {"worker": {"disruption": {"maxUnavailable": "50%"}}},
        {"image": {"repository": "hub.example:5000/team/shop"}},
        {"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "b", "key": "b"}}}]},
        {"server": {"base": "/team/segue", "ingress": {"enabled": True, "host": "*.segue.example"}}},
    ],
)
def test_values_that_can_be_are_taken(values: dict[str, Any]) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate")
    for manifest in render(DATABASE | values).values():
        kubernetes.validate(manifest, "1.31", strict=True)


# --- what is started --------------------------------------------------------------------------------------------------


def _commands() -> list[list[str]]:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    composed = [service["command"] for service in compose["services"].values() if "command" in service]
    return composed + [container["args"] for _, container in containers(render(FULL))]


@functools.cache
def _usage(*command: str) -> str:
    program = [sys.executable, "-m", "segue.cli", *command, "--help"]
    return subprocess.run(program, capture_output=True, text=True, check=True, env={"COLUMNS": "200"}).stdout


def test_every_flag_that_is_passed_exists() -> None:
    for command in _commands():
        names = command[:2] if command[0] == "db" else command[:1]
        for flag in [word for word in command if word.startswith("--")]:
            if flag.startswith("--metrics") and not (ROOT / "docs" / "observability.md").exists():
                continue  # comes with the metrics
            assert flag in _usage(*names), f"{' '.join(names)} knows no {flag}"


def test_the_image_has_what_it_copies_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert all("/" not in base for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    assert re.search(r"^USER 10001", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK", text, re.MULTILINE)
    kept = re.findall(r"^!(\S+)", (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert all((ROOT / name).exists() for name in kept)
    needed = {"src", "scripts", "ui", "pyproject.toml", "README.md", "LICENSE"}
    assert needed <= set(kept), "what the build of the package needs"


def test_compose_starts_three_workers_behind_a_database_that_is_there() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["worker"]["deploy"]["replicas"] == 3
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("server", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert (ROOT / "examples" / services[name]["command"][1].removeprefix("/app/")).exists()
    assert services["server"]["ports"] == ["127.0.0.1:7733:7733"]


def test_what_composed_workers_write_has_a_place_that_is_theirs() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    worker = composed["services"]["worker"]
    volume, _, place = next(each for each in worker["volumes"] if not each.endswith(":ro")).partition(":")
    assert worker["read_only"] is True
    assert worker["working_dir"] == place
    assert volume in composed["volumes"]
    # A volume takes its owner from what the image has at its place.
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"install --directory --owner segue --group segue {place}\n" in text


# --- alerts and runbook -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    parser = pytest.importorskip("promql_parser")
    parser.parse(rule["expr"])
    document = ROOT / "docs" / "observability.md"
    if not document.exists():
        pytest.skip("docs/observability.md, which lists the metrics, is not here yet")
    known = set(re.findall(r"`(segue_\w+)", document.read_text(encoding="utf-8")))
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    for name in re.findall(r"segue_\w+", rule["expr"]):
        assert name in known
        assert name.removeprefix("segue_").removesuffix("_total") in source


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("info", "warning", "critical")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_the_runbook_has_a_section_for_every_cause_and_alert_and_for_nothing_else() -> None:
    incidents, _, rest = RUNBOOK.partition("\n## Alerts\n")
    alerts = rest.partition("\n## ")[0]
    assert sorted(re.findall(r"^### (\S+)$", incidents, re.MULTILINE)) == sorted(REMEDIES)
    assert sorted(re.findall(r"^### (\S+)$", alerts, re.MULTILINE)) == sorted(rule["alert"] for rule in RULES)
