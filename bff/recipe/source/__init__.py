"""A recipe's file as text and as YAML nodes, each knowing where it stands."""

from bff.recipe.source.nodes import ListNode, MapNode, Node, ScalarNode, mark_of, read_nodes
from bff.recipe.source.text import Source, read_source

__all__ = ["ListNode", "MapNode", "Node", "ScalarNode", "Source", "mark_of", "read_nodes", "read_source"]
