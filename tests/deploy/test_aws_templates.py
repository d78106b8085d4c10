"""The templates for AWS: what SAM makes of them, which routes reach which function, and how the files are served."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from bff.deploy import TARGETS, Bundler, Function, Project
from bff.deploy.aws_site import paths_code
from bff.deploy.effects import without_effect
from bff.deploy.layers import layers_of
from bff.deploy.python import running_python, running_version
from bff.errors import OperatorError
from bff.recipe.model import Deploy
from bff.settings import DEFAULT_CSP
from tests.conftest import missing
from tests.deploy.aws_emulator import VENV
from tests.servers import ROOT

TARGET = TARGETS["aws-lambda"]
TRANSLATE = """
import json, os, sys
import yaml
from samtranslator.translator.transform import transform

class NoPolicies:
    def load(self):
        return {}

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
template = yaml.safe_load(sys.stdin)
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://bucket/" + resource["Properties"]["CodeUri"]  # as `sam package` does
    if resource["Type"] == "AWS::Serverless::LayerVersion":
        resource["Properties"]["ContentUri"] = "s3://bucket/" + resource["Properties"]["ContentUri"]
print(json.dumps(transform(template, {}, NoPolicies())))
"""


@pytest.fixture(scope="module")
def functions() -> list[Function]:
    """The functions of the app without their packages, which nothing here looks into."""
    bundler = Bundler(ROOT, running_python(), "x86_64")
    need = replace(TARGET.need, vendored=False)
    return [Function(page, bundler.bundle([page], need)) for page in bundler.pages]


@pytest.fixture(scope="module")
def public() -> Mapping[str, bytes]:
    return Bundler(ROOT, running_python(), "x86_64").public()


def project_of(functions: list[Function], public: Mapping[str, bytes], suffix: str = "") -> Project:
    return Project("todo app", functions, running_version(), "arm64", bool(public), public, suffix)


def template_of(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TARGET.manifests(project)["template.yaml"])
    return found


def translated(project: Project) -> Any:
    """The CloudFormation template that SAM makes."""
    return json.loads(_by_sam(TARGET.manifests(project)["template.yaml"]))


@cache
def _by_sam(template: bytes) -> str:
    """Several tests look at one template, and SAM's start takes a second."""
    python = VENV / "bin" / "python"
    if not any(VENV.glob("lib/python*/site-packages/samtranslator")):
        missing("needs aws-sam-translator in .local/hosts-venv: make install-hosts")
    done = subprocess.run([python, "-c", TRANSLATE], input=template, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def routes_of(template: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Method, path and function of every route of the API."""
    for path, methods in template["Resources"]["Api"]["Properties"]["Body"]["paths"].items():
        for method, route in methods.items():
            uri = route["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            yield method.upper(), path, uri.partition("functions/${")[2].partition(".Arn")[0]


def layered(functions: list[Function]) -> list[Function]:
    """The functions with their packages in layers; those of sessions are not for all."""
    found = []
    for function in functions:
        groups = {"msgspec": "base"} | ({} if function.name == "people" else {"cryptography": "session"})
        packages = {name: {f"{name}/__init__.pyc": name.encode()} for name in groups}
        bundle = replace(function.bundle, packages=packages, groups=groups)
        found.append(replace(function, bundle=bundle, layers=layers_of(bundle)))
    return found


@pytest.fixture(scope="module")
def front() -> Function:
    """Two pages and the files in one function."""
    bundler = Bundler(ROOT, running_python(), "x86_64")
    need = replace(TARGET.need, vendored=False)
    return Function("shop", bundler.bundle(["home", "add_todo"], need, with_public=True))


@pytest.mark.parametrize(
    "kind", ["one", *(pytest.param(kind, marks=pytest.mark.full) for kind in ("all", "files", "layers"))]
)
def test_cfn_lint_has_nothing_against_it(
    kind: str, functions: list[Function], public: Mapping[str, bytes], front: Function, tmp_path: Path
) -> None:
    lint = VENV / "bin" / "cfn-lint"
    if not lint.exists():
        missing("needs cfn-lint in .local/hosts-venv: make install-hosts")
    project = {
        "all": project_of(functions, public, ".zip"),
        "one": project_of([kept(functions[4])], {}),
        "layers": project_of(layered(functions), public),
        "files": project_of([front], {}),
    }[kind]
    file = tmp_path / "template.yaml"
    file.write_bytes(TARGET.manifests(project)["template.yaml"])
    done = subprocess.run(
        [lint, "--regions", "eu-central-1", "--template", file.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def kept(function: Function) -> Function:
    """A function whose page asks for memory, and for instances that are always there."""
    plan = next(iter(function.plans.values()))
    recipe = replace(plan.recipe, deploy=Deploy(memory=1024, min_instances=2))
    plans = {recipe.name: replace(plan, recipe=recipe)}
    return replace(function, bundle=replace(function.bundle, plans=plans))


def test_every_page_has_its_route_and_what_is_read_has_head(
    functions: list[Function], public: Mapping[str, bytes]
) -> None:
    found = set(routes_of(translated(project_of(functions, public))))
    pages = {
        (plan.recipe.method, plan.recipe.path, name_of(function))
        for function in functions
        for plan in function.plans.values()
    }
    heads = {("HEAD", path, name) for method, path, name in pages if method == "GET"}
    assert {route for route in found if route[0] != "OPTIONS"} == pages | heads
    assert ("GET", "/api/todos/{id}", "TodoFunction") in pages
    # /api/todos/{id} is read, changed and removed by three functions: none of them could tell of all.
    paths = [path for method, path, _ in found if method == "OPTIONS"]
    assert "/api/home" in paths
    assert "/api/todos/{id}" not in paths


def test_every_path_and_method_leads_to_a_function_that_has_the_files(front: Function) -> None:
    template = translated(project_of([front], {}))
    assert set(routes_of(template)) == {
        ("X-AMAZON-APIGATEWAY-ANY-METHOD", "$default", "ShopFunction"),
    }
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not [kind for kind in kinds if "S3" in kind or "CloudFront" in kind]
    # API Gateway alone stands before it, and may be asked.
    variables = template["Resources"]["ShopFunction"]["Properties"]["Environment"]["Variables"]
    assert not {"BFF_TRUSTED_PROXIES", "ORIGIN_KEY"} & variables.keys()


def name_of(function: Function) -> str:
    return "".join(part.capitalize() for part in function.name.split("_")) + "Function"


def test_a_function_has_its_own_time_memory_and_variables(functions: list[Function]) -> None:
    resources = translated(project_of(functions, {}))["Resources"]
    home = resources["HomeFunction"]["Properties"]
    assert (home["Timeout"], home["MemorySize"], home["Architectures"]) == (4, 512, ["arm64"])
    assert (home["Runtime"], home["Handler"]) == (f"python{running_version()}", "aws_lambda.handler")
    assert resources["SignupFunction"]["Properties"]["Timeout"] == 13
    of_logout = resources["LogoutFunction"]["Properties"]["Environment"]["Variables"]
    assert of_logout == {"BFF_SESSION_KEYS": {"Ref": "BffSessionKeys"}}
    assert home["Environment"]["Variables"] == {
        "BFF_SESSION_KEYS": {"Ref": "BffSessionKeys"},
        "NOTICES_URL": {"Ref": "NoticesUrl"},
        "PEOPLE_URL": {"Ref": "PeopleUrl"},
        "TODOS_URL": {"Ref": "TodosUrl"},
    }


def test_secrets_have_no_default_and_are_not_shown(functions: list[Function]) -> None:
    found = template_of(project_of(functions, {}))["Parameters"]
    assert found["BffSessionKeys"] == {"Type": "String", "Description": "BFF_SESSION_KEYS", "NoEcho": True}
    assert found["TodosUrl"] == {
        "Type": "String",
        "Description": "TODOS_URL",
        "Default": "http://127.0.0.1:8090",
    }


def test_a_redis_is_offered_where_the_build_was_told_of_one_and_pages_have_a_use_for_it(
    functions: list[Function],
) -> None:
    bundle = replace(
        functions[4].bundle,
        packages={"redis": {"redis/__init__.py": b""}},
        settings=frozenset({"BFF_STATE_URL"}),
    )
    project = project_of([replace(functions[4], bundle=bundle), functions[5]], {})
    found = template_of(project)["Parameters"]["BffStateUrl"]
    assert (found["Default"], found["NoEcho"]) == ("", True)
    resources = translated(project)["Resources"]
    given = resources["HomeFunction"]["Properties"]["Environment"]["Variables"]["BFF_STATE_URL"]
    assert given == {"Fn::If": ["HasBffStateUrl", {"Ref": "BffStateUrl"}, {"Ref": "AWS::NoValue"}]}
    for name, variable in (("LoginFunction", "BFF_STATE_URL"), ("HomeFunction", "BFF_CACHE_URL")):
        assert variable not in resources[name]["Properties"]["Environment"]["Variables"]


def test_instances_that_are_kept_belong_to_an_alias_that_the_routes_ask(functions: list[Function]) -> None:
    template = translated(project_of([kept(functions[4])], {}))
    alias = template["Resources"]["HomeFunctionAliaslive"]["Properties"]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}
    assert template["Resources"]["HomeFunction"]["Properties"]["MemorySize"] == 1024
    routes = template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/api/home"]
    uri = routes["get"]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    assert "${HomeFunctionAliaslive}" in uri


def test_functions_share_layers_whose_names_say_what_is_in_them(functions: list[Function]) -> None:
    project = project_of(layered(functions), {})
    base, session = project.layers
    found = template_of(project)["Resources"]
    assert found[f"BaseLayer{base.digest}"] == {
        "Type": "AWS::Serverless::LayerVersion",
        "Properties": {
            "LayerName": f"todo-app-base-{base.digest}",
            "Description": "msgspec",
            "ContentUri": f"lambda-layers/base-{base.digest}/",
            "CompatibleRuntimes": [f"python{running_version()}"],
            "CompatibleArchitectures": ["arm64"],
            "RetentionPolicy": "Delete",
        },
    }
    refs = [{"Ref": f"BaseLayer{base.digest}"}, {"Ref": f"SessionLayer{session.digest}"}]
    assert found["HomeFunction"]["Properties"]["Layers"] == refs
    assert found["PeopleFunction"]["Properties"]["Layers"] == refs[:1]
    made = translated(project)["Resources"]
    for function in project.functions:
        layers = [layer["Ref"] for layer in made[name_of(function)]["Properties"]["Layers"]]
        assert [made[layer]["Properties"]["LayerName"] for layer in layers] == [
            f"todo-app-{layer.name}" for layer in function.layers
        ]


def test_routes_ask_a_version_with_its_own_layers_and_each_release_publishes_one(
    functions: list[Function],
) -> None:
    """What is not published is changed in steps, and new code would meet old layers between them."""
    project = project_of(layered(functions), {})
    made = translated(project)
    for routes in made["Resources"]["Api"]["Properties"]["Body"]["paths"].values():
        for route in routes.values():
            assert "FunctionAliaslive}" in route["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    before, after = (version_of(one, "HomeFunction") for one in (project, with_other_layers(project)))
    assert before[0] != after[0]
    # Where only a parameter has changed, its own text makes function and version new.
    assert before[1]["Description"] == {"Ref": "Release"}
    assert made["Resources"]["HomeFunction"]["Properties"]["Description"] == {"Ref": "Release"}
    assert "Default" not in made["Parameters"]["Release"]


def with_other_layers(project: Project) -> Project:
    functions = []
    for function in project.functions:
        packages = {name: {"other.pyc": b""} for name in function.bundle.packages}
        bundle = replace(function.bundle, packages=packages)
        functions.append(replace(function, bundle=bundle, layers=layers_of(bundle)))
    return replace(project, functions=functions)


def version_of(project: Project, function: str) -> tuple[str, dict[str, Any]]:
    """The name and the properties of the version that a function's alias stands for."""
    resources = translated(project)["Resources"]
    name = resources[f"{function}Aliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
    return name, resources[name]["Properties"]


def test_a_function_alone_has_no_layers_and_no_release(functions: list[Function]) -> None:
    found = template_of(project_of(functions[4:5], {}))
    assert [one["Type"] for one in found["Resources"].values()] == [
        "AWS::Serverless::HttpApi",
        "AWS::Serverless::Function",
    ]
    assert "Release" not in found["Parameters"]


def test_nothing_in_a_template_refers_to_an_equal_part_which_cloudformation_does_not_read(
    functions: list[Function], public: Mapping[str, bytes]
) -> None:
    text = TARGET.manifests(project_of(functions, public))["template.yaml"].decode()
    assert [event for event in yaml.parse(text) if isinstance(event, yaml.AliasEvent)] == []


def test_a_deadline_that_api_gateway_does_not_wait_for_is_told(functions: list[Function]) -> None:
    told = {
        name
        for function in functions
        for name, plan in function.plans.items()
        if ("deadline", "the host waits no longer than 30 s") in without_effect(plan, TARGET)
    }
    assert told == {"add_picture", "replace_picture"}


@pytest.mark.parametrize(
    ("suffix", "place"), [(".zip", {"package": {"artifact": "NAME.zip"}}), ("", {"path": "NAME"})]
)
def test_the_serverless_framework_shares_the_same_layers(
    suffix: str, place: Any, functions: list[Function]
) -> None:
    project = project_of(layered(functions), {}, suffix)
    files = TARGET.manifests(project)
    found, [base, session] = yaml.safe_load(files["serverless.yml"]), project.layers
    assert found["layers"][f"BaseLayer{base.digest}"] == {
        **json.loads(json.dumps(place).replace("NAME", f"lambda-layers/{base.name}")),
        "name": f"todo-app-base-{base.digest}",
        "compatibleRuntimes": [f"python{running_version()}"],
        "compatibleArchitectures": ["arm64"],
    }
    assert found["functions"]["home"]["layers"] == [
        {"Ref": f"BaseLayer{base.digest}LambdaLayer"},
        {"Ref": f"SessionLayer{session.digest}LambdaLayer"},
    ]
    assert found["plugins"] == ["./aliases.js"]
    assert "aliases.js" in files


@pytest.mark.parametrize(
    ("suffix", "handler", "package"),
    [
        (".zip", "aws_lambda.handler", {"artifact": "home.zip"}),
        ("", "home/aws_lambda.handler", {"patterns": ["!**", "home/**"]}),
    ],
)
def test_the_serverless_framework_packages_what_was_built(
    suffix: str, handler: str, package: dict[str, Any], functions: list[Function]
) -> None:
    project = project_of([kept(functions[4])], {}, suffix)
    found = yaml.safe_load(TARGET.manifests(project)["serverless.yml"])
    assert (found["service"], found["provider"]["architecture"]) == ("todo-app", "arm64")
    assert found["functions"]["home"] == {
        "handler": handler,
        "package": package,
        "memorySize": 1024,
        "timeout": 4,
        "environment": {
            "BFF_SESSION_KEYS": "${env:BFF_SESSION_KEYS}",
            **{
                f"{name}_URL": f"${{env:{name}_URL, 'http://127.0.0.1:8090'}}"
                for name in ("NOTICES", "PEOPLE", "TODOS")
            },
        },
        "events": [
            {"httpApi": {"method": method, "path": "/api/home"}} for method in ("GET", "HEAD", "OPTIONS")
        ],
        "provisionedConcurrency": 2,
    }


def test_two_functions_of_one_name_are_refused(functions: list[Function]) -> None:
    twins = [replace(functions[0], name=name) for name in ("add_todo", "Add-Todo")]
    with pytest.raises(OperatorError) as refused:
        TARGET.manifests(project_of(twins, {}))
    assert str(refused.value) == (
        "add_todo and Add-Todo would both be AddTodoFunction on AWS: rename one of them"
    )


def test_the_files_come_from_a_bucket_that_cloudfront_alone_reads_and_pages_from_the_api(
    functions: list[Function], public: Mapping[str, bytes]
) -> None:
    template = translated(project_of(functions, public))
    site = template["Resources"]["Site"]["Properties"]["DistributionConfig"]
    assert site["DefaultCacheBehavior"]["TargetOriginId"] == "files"
    assert [(one["PathPattern"], one["TargetOriginId"]) for one in site["CacheBehaviors"]] == [
        ("/api/*", "pages")
    ]
    files = template["Resources"]["SiteFiles"]["Properties"]["PublicAccessBlockConfiguration"]
    assert set(files.values()) == {True}
    # CloudFront stands before API Gateway: two have added an address, and the function sees that both were asked.
    variables = template["Resources"]["HomeFunction"]["Properties"]["Environment"]["Variables"]
    [pages] = [origin for origin in site["Origins"] if origin["Id"] == "pages"]
    [header] = pages["OriginCustomHeaders"]
    assert (variables["BFF_TRUSTED_PROXIES"], header["HeaderName"]) == ("2", "x-origin-key")
    assert variables["ORIGIN_KEY"] == header["HeaderValue"]


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        *(("/", "/index.html"), ("/todos/x1", "/index.html"), ("/todos/a.b", "/index.html")),
        *(("/app.js", "/app.js"), ("/pages/none.js", "/index.html"), ("/constructor", "/index.html")),
    ],
)
def test_cloudfront_gives_a_file_or_the_app_as_the_app_itself_does(
    asked: str, read: str, functions: list[Function], public: Mapping[str, bytes]
) -> None:
    assert rewritten(paths_code(project_of(functions, public)), asked) == read


def test_a_file_is_found_by_its_name_as_browsers_write_it(functions: list[Function]) -> None:
    code = paths_code(project_of(functions, {"public/茶 1.svg": b""}))
    assert rewritten(code, "/%E8%8C%B6%201.svg") == "/%E8%8C%B6%201.svg"
    assert rewritten(code, "/%E8%") == "/index.html"


@pytest.mark.parametrize(("asked", "read"), [("/a/b", "/index.html"), ("/none.js", "/none.js")])
def test_of_more_files_than_cloudfront_can_know_an_extension_tells(
    asked: str, read: str, functions: list[Function]
) -> None:
    many = {f"public/assets/chunk-{number:08}.js": b"" for number in range(1000)}
    assert rewritten(paths_code(project_of(functions, many)), asked) == read


def rewritten(code: str, path: str) -> str:
    """The path that a viewer's request goes on with."""
    node = shutil.which("node")
    if node is None:
        missing("needs node: apt-get install nodejs")
    event = json.dumps({"request": {"uri": path, "headers": {}}})
    done = subprocess.run(
        [node, "-e", f"{code}; console.log(handler({event}).uri)"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- the settings of the project -------------------------------------------------------------------------------------


def with_settings(functions: list[Function], settings: Mapping[str, str]) -> list[Function]:
    return [replace(one, bundle=replace(one.bundle, project_settings=settings)) for one in functions]


@pytest.mark.parametrize(
    ("settings", "upload", "answer"),
    [
        ({}, "4 MiB", "2000 KiB"),
        ({"max_answer": "1 MiB", "max_upload": "64 MiB"}, "4 MiB", "1 MiB"),
        ({"max_upload": "65536"}, "65536", "2000 KiB"),
    ],
)
def test_a_function_keeps_the_lower_of_the_bounds_of_the_host_and_the_project(
    functions: list[Function], settings: Mapping[str, str], upload: str, answer: str
) -> None:
    [function] = with_settings(functions[:1], settings)
    module = TARGET.entry(function)["aws_lambda.py"].decode()
    bounds = {"BFF_MAX_UPLOAD": upload, "BFF_MAX_DOWNLOAD": "4 MiB", "BFF_MAX_ANSWER": answer}
    assert f"\n_BOUNDS = {json.dumps(bounds)}\n" in module


@pytest.mark.parametrize(
    ("settings", "policy"),
    [({}, DEFAULT_CSP), ({"csp": "default-src https:"}, "default-src https:"), ({"csp": ""}, None)],
)
def test_files_have_the_policy_of_the_project(
    functions: list[Function], public: Mapping[str, bytes], settings: Mapping[str, str], policy: str | None
) -> None:
    template = template_of(project_of(with_settings(functions, settings), public))
    config = template["Resources"]["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    found = config["SecurityHeadersConfig"].get("ContentSecurityPolicy")
    assert (None if found is None else found["ContentSecurityPolicy"]) == policy
