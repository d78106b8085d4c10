"""The files of the app on AWS: a private bucket behind CloudFront, which hands the pages on to API Gateway."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from bff.deploy.target import Project
from bff.settings import DEFAULT_CSP

OUTPUTS = {
    "SiteUrl": {"Value": {"Fn::Sub": "https://${Site.DomainName}"}},
    "SiteBucket": {"Value": {"Ref": "SiteFiles"}},
    "SiteId": {"Value": {"Ref": "Site"}},
}

# CloudFront's own policies: nothing is kept; all but the host goes on; what may be kept for as long as it says.
_KEEP_NOTHING = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_KEEP = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
_YEAR = 31536000
# Told by CloudFront with each request that it hands on: nobody else knows this part of the stack's name.
KEY_HEADER = "x-origin-key"
KEY = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
_LARGEST_CODE = 10_000
"""Bytes: the largest function that CloudFront takes is 10 KB."""


API_HOST = "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
"""The host of the template's HTTP API, for Fn::Sub."""


def resources(project: Project) -> dict[str, Any]:
    """Bucket and distribution."""
    return {
        "SiteFiles": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                }
            },
        },
        "SiteFilesPolicy": _policy(),
        "SiteAccess": {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {
                "OriginAccessControlConfig": {
                    "Name": {"Fn::Sub": "${AWS::StackName}-site"},
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
        },
        "SitePaths": _viewer_function("paths", paths_code(project)),
        "SiteHost": _viewer_function("host", _HOST_CODE),
        "SiteHeaders": _headers(project.settings.get("csp", DEFAULT_CSP)),
        "Site": _distribution(project),
    }


_HOST_CODE = """function handler(event) {
  var request = event.request;
  request.headers['x-forwarded-host'] = {value: request.headers.host.value};
  return request;
}
"""


def paths_code(project: Project) -> str:
    """What CloudFront runs for each path outside the API: a path that is no file is the app's own page.

    Where the names of all files are more than such a function may hold, a path with an extension is taken for a file.
    """
    names = [f"/{quote(path.removeprefix('public/'))}" for path in sorted(project.public)]
    code = _code_of(f"!{json.dumps(dict.fromkeys(names, 1), separators=(',', ':'))}[path]")
    return code if len(code.encode()) < _LARGEST_CODE else _code_of(r"!/\.[^/]+$/.test(path)")


def _code_of(is_page: str) -> str:
    return f"""function handler(event) {{
  var request = event.request, path = request.uri;
  if ({is_page}) request.uri = '/index.html';
  return request;
}}
"""


def _policy() -> dict[str, Any]:
    site = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Site}"
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "SiteFiles"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudfront.amazonaws.com"},
                        "Action": "s3:GetObject",
                        "Resource": {"Fn::Sub": "${SiteFiles.Arn}/*"},
                        "Condition": {"StringEquals": {"AWS:SourceArn": {"Fn::Sub": site}}},
                    }
                ],
            },
        },
    }


def _viewer_function(name: str, code: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFront::Function",
        "Properties": {
            "Name": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
            "AutoPublish": True,
            "FunctionCode": code,
            "FunctionConfig": {"Comment": f"{name} of the site", "Runtime": "cloudfront-js-2.0"},
        },
    }


def _headers(csp: str) -> dict[str, Any]:
    """What the app says with each file where it serves them itself."""
    policy = {"ContentSecurityPolicy": {"ContentSecurityPolicy": csp, "Override": True}} if csp else {}
    headers = {
        "ContentTypeOptions": {"Override": True},
        "FrameOptions": {"FrameOption": "DENY", "Override": True},
        "ReferrerPolicy": {"ReferrerPolicy": "same-origin", "Override": True},
        **policy,
        "StrictTransportSecurity": {"AccessControlMaxAgeSec": _YEAR, "Override": True},
    }
    return {
        "Type": "AWS::CloudFront::ResponseHeadersPolicy",
        "Properties": {
            "ResponseHeadersPolicyConfig": {
                "Name": {"Fn::Sub": "${AWS::StackName}-site"},
                "SecurityHeadersConfig": headers,
            }
        },
    }


def _distribution(project: Project) -> dict[str, Any]:
    pages = {
        "TargetOriginId": "pages",
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": _METHODS,
        "CachePolicyId": _KEEP_NOTHING,
        "OriginRequestPolicyId": _ALL_BUT_HOST,
        "FunctionAssociations": _at_viewer_request("SiteHost"),
    }
    files = {
        "TargetOriginId": "files",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": _KEEP,
        "Compress": True,
        "ResponseHeadersPolicyId": {"Ref": "SiteHeaders"},
        "FunctionAssociations": _at_viewer_request("SitePaths"),
    }
    return {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {
            "DistributionConfig": {
                "Enabled": True,
                "HttpVersion": "http2and3",
                "Origins": _origins(),
                "DefaultCacheBehavior": files,
                "CacheBehaviors": [{"PathPattern": pattern, **pages} for pattern in _patterns(project)],
            }
        },
    }


def _origins() -> list[dict[str, Any]]:
    return [
        {
            "Id": "files",
            "DomainName": {"Fn::GetAtt": ["SiteFiles", "RegionalDomainName"]},
            "OriginAccessControlId": {"Ref": "SiteAccess"},
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        },
        {
            "Id": "pages",
            "DomainName": {"Fn::Sub": API_HOST},
            "CustomOriginConfig": {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]},
            "OriginCustomHeaders": [{"HeaderName": KEY_HEADER, "HeaderValue": KEY}],
        },
    ]


def _at_viewer_request(function: str) -> list[dict[str, Any]]:
    arn = {"Fn::GetAtt": [function, "FunctionMetadata.FunctionARN"]}
    return [{"EventType": "viewer-request", "FunctionARN": arn}]


def _patterns(project: Project) -> list[str]:
    """The paths of pages: the API as a whole, and what a project has outside it."""
    paths = [plan.recipe.path for function in project.functions for plan in function.plans.values()]
    outside = {re.sub(r"\{[^}]*\}", "*", path) for path in paths if not path.startswith("/api/")}
    return ["/api/*", *sorted(outside)]
