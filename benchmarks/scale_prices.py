"""What hosts take for pages, and what they allow: published constants, each with where it was read.

Prices are in US dollars of us-east-1 and of Cloud Run's tier 1, without free tiers, committed use and taxes. Bytes sent
to visitors cost about the same everywhere and are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_COPY = "read on 2026-11-23 in a stored copy"
_MEMORY = "as published, from memory, not re-read on 2026-11-23"


@dataclass(frozen=True)
class Published:
    """A constant, what it is, and its source."""

    value: float
    what: str
    source: str
    read: str = _COPY


_AWS = "https://docs.aws.amazon.com"
LAMBDA_GB_S = Published(
    0.0000166667, "Lambda, x86, dollars per GB-second", "https://cloudchipr.com/blog/aws-lambda-pricing"
)
LAMBDA_REQUEST = Published(
    0.20e-6, "Lambda, dollars per request", f"{_AWS}/whitepapers/latest/how-aws-pricing-works/lambda.html"
)
HTTP_API_REQUEST = Published(
    1.00e-6, "API Gateway, HTTP API, dollars per request", "https://www.apigatewaycost.com/aws"
)
LAMBDA_CONCURRENCY = Published(
    1000, "Lambda, requests at once of an account", f"{_AWS}/lambda/latest/dg/limits.html"
)
LAMBDA_SCALING = Published(
    1000, "Lambda, new instances of a function per 10 s", f"{_AWS}/lambda/latest/dg/scaling-behavior.html"
)
LAMBDA_VCPU_MB = Published(
    1769, "Lambda, MB that come with one vCPU", f"{_AWS}/lambda/latest/dg/resource-model.html"
)
FIRECRACKER_S = Published(
    0.125,
    "Firecracker, seconds until a virtual machine runs its first process",
    "https://firecracker-microvm.github.io/",
    _MEMORY,
)
RUN_VCPU_S = Published(
    0.000024,
    "Cloud Run, dollars per vCPU-second",
    "https://cloud.google.com/run/pricing",
)
RUN_GIB_S = Published(
    0.0000025,
    "Cloud Run, dollars per GiB-second",
    "https://cloudchipr.com/blog/cloud-run-pricing",
)
RUN_REQUEST = Published(
    0.40e-6, "Cloud Run, dollars per request", "https://cloudchipr.com/blog/cloud-run-pricing"
)
RUN_PENDING_S = Published(
    10,
    "Cloud Run, seconds that a request waits for an instance before it is told 429",
    "https://cloud.google.com/run/docs/about-instance-autoscaling",
)
RUN_INSTANCES = Published(
    100,
    "Cloud Run, instances of a service at most, unless told otherwise",
    "https://cloud.google.com/run/docs/configuring/max-instances",
    _MEMORY,
)
FARGATE_VCPU_H = Published(
    0.04048, "Fargate, x86, dollars per vCPU-hour", "https://www.vantage.sh/blog/fargate-pricing"
)
FARGATE_GB_H = Published(
    0.004445, "Fargate, x86, dollars per GB-hour", "https://www.vantage.sh/blog/fargate-pricing"
)
ALB_H = Published(
    0.0225,
    "Application Load Balancer, dollars per hour",
    "https://aws.amazon.com/elasticloadbalancing/pricing/",
    _MEMORY,
)
ALB_GB = Published(
    0.008,
    "Application Load Balancer, dollars per GB (its capacity unit)",
    "https://aws.amazon.com/elasticloadbalancing/pricing/",
    _MEMORY,
)
EVERY = (
    *(LAMBDA_GB_S, LAMBDA_REQUEST, HTTP_API_REQUEST, LAMBDA_CONCURRENCY, LAMBDA_SCALING, LAMBDA_VCPU_MB),
    *(FIRECRACKER_S, RUN_VCPU_S, RUN_GIB_S, RUN_REQUEST, RUN_PENDING_S, RUN_INSTANCES),
    *(FARGATE_VCPU_H, FARGATE_GB_H, ALB_H, ALB_GB),
)

# What is rented; none of it is a measurement.
LAMBDA_MB = 512
CONTAINER_VCPU, CONTAINER_GIB = 1, 0.5
TASK_VCPU, TASK_GB = 1, 2  # the least memory that Fargate gives with one vCPU


def lambda_cost(seconds: float, served: int, throttled: int) -> float:
    """Dollars for `seconds` of billed time; the API in front also takes its price for what was throttled."""
    gigabytes = LAMBDA_MB / 1024
    requests = served * LAMBDA_REQUEST.value + (served + throttled) * HTTP_API_REQUEST.value
    return seconds * gigabytes * LAMBDA_GB_S.value + requests


def run_cost(seconds: float, served: int) -> float:
    """Dollars for instances that together had requests or started for so many seconds."""
    second = CONTAINER_VCPU * RUN_VCPU_S.value + CONTAINER_GIB * RUN_GIB_S.value
    return seconds * second + served * RUN_REQUEST.value


def fleet_cost(tasks: int, seconds: float, served: int, page_bytes: int) -> float:
    """Dollars for tasks that run all the time, and for the load balancer before them."""
    hours = seconds / 3600
    task_hour = TASK_VCPU * FARGATE_VCPU_H.value + TASK_GB * FARGATE_GB_H.value
    balancer = hours * ALB_H.value + served * page_bytes / 1e9 * ALB_GB.value
    return tasks * hours * task_hour + balancer


def rounded_up(seconds: float, step: float) -> float:
    """Billed time in whole steps; what is a whole number of them but for floating point stays that."""
    return math.ceil(seconds / step - 1e-9) * step
