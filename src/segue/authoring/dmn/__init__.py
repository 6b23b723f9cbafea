"""DMN: decision models in XML, versions 1.2 to 1.5, that are asked, explained and written back.

    model = dmn.read(Path("routing.dmn").read_bytes())
    outcome = model.decide("Routing", {"Applicant": {...}})
    outcome.value; outcome.decisions[0].tables[0].hits; outcome.warnings

May import: ``segue.kernel``, ``segue.feel``, ``segue.errors``, msgspec and lxml. It opens no file and no connection:
the files of imported models are handed in.

Start reading: ``decision_model`` (the front), ``reader`` and ``boxed_reader`` (XML to ``model``), ``library``
(references and types across models), ``deciding`` and ``boxed`` (model to values), ``tables`` (hit policies).
"""

from __future__ import annotations

from segue.authoring.dmn.decision_model import DecisionModel, namespace_of, read
from segue.authoring.dmn.explanation import DecisionExplanation, Hit, Outcome, TableExplanation

__all__ = ["DecisionExplanation", "DecisionModel", "Hit", "Outcome", "TableExplanation", "namespace_of", "read"]
