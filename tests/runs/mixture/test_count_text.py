"""Counts that are kept, and counts that were kept badly."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("joblib")

from forensics.runs.mixture.count_text import count_categories
from forensics.sources.texts.corpora import find_corpora
