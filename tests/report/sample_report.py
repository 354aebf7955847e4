"""A report like the real one, as small or as big as a test needs it."""

from __future__ import annotations

import random
from hashlib import sha256
from statistics import mean, stdev

from chimera.facts.fact import Fact, Origin
from chimera.facts.text import Name, Num, Span, spans
from chimera.report.document import (
    Block,
    Bullets,
    Chart,
    Details,
    Mark,
    Paragraph,
    Quotation,
    Report,
    Section,
    Table,
)
from tests.report.samples import fact, said

_MODELS = (
    "llama3.1:8b-instruct-q4_0",
    "llama3.1:8b-instruct-q8_0",
    "gemma3:1b-it-qat",
    "gemma3:270m",
    "qwen2.5:7b",
    "qwen2.5:14b-instruct-q5_K_M",
    "mistral-nemo:12b",
    "phi4-mini:3.8b",
    "deepseek-r1:8b-llama-distill-q4_K_M",
    "smollm2:360m",
)


class Sample:
    """Builds a report like the real one: ``models`` models, ``configs`` configurations each."""

    def __init__(self, models: int = 3, configs: int = 3, samples: int = 5) -> None:
        self.random = random.Random(11)
        self.models = _MODELS[:models]
        self.configs = [f"num_ctx={512 * 2**i}" for i in range(configs)]
        self.samples = samples
        self.facts: dict[str, Fact] = {}
        self.rows: list[tuple[str, str, Fact, Fact, Fact, Mark, Mark]] = []
        for i, model in enumerate(self.models):
            for j, config in enumerate(self.configs):
                self._configuration(i, j, model, config)

    def keep(self, one: Fact) -> Fact:
        self.facts[one.id] = one
        return one

    def _configuration(self, i: int, j: int, model: str, config: str) -> None:
        about = {"model": model, "options": config, "engine": "ollama"}
        speed = 18 + 95 / (1 + i) - 1.5 * j
        made = [self.random.gauss(speed, speed / 40) for _ in range(self.samples)]
        ttft = [self.random.gauss(0.12 + 0.03 * i, 0.012) for _ in range(self.samples)]
        file = f"results/{model.replace(':', '_')}/bench_{config}.csv"
        rows = tuple(range(2, 2 + self.samples))
        tps = self._mean(about, "decode throughput", "tokens/s", made, file, rows, "eval_rate")
        first = self._mean(about, "TTFT", "s", ttft, file, rows, "ttft_s")
        cold = self.keep(
            fact(
                2.4 + i,
                "s",
                metric="load duration",
                statistic="mean",
                subject=about,
                n=1,
                ci_why="a single observation allows no interval",
                flags=("n = 1",),
                origins=(Origin(file, "c0ffee" * 10 + "1234", (2,), "load_duration"),),
                expression="mean(load_duration) over row 2",
            )
        )
        marks = [
            Mark(config, f, self._samples(file, rows, values), group=model)
            for f, values in ((tps, made), (first, ttft))
        ]
        late = Mark(config, first, (*marks[1].samples, (2.4 + i, f"{file}:2", "cold")), model)
        self.rows.append((model, config, tps, first, cold, marks[0], late))

    @staticmethod
    def _samples(
        file: str, rows: tuple[int, ...], values: list[float]
    ) -> tuple[tuple[float, str, str], ...]:
        return tuple((v, f"{file}:{r}", "") for v, r in zip(values, rows, strict=True))

    def _mean(
        self,
        about: dict[str, str],
        metric: str,
        unit: str,
        values: list[float],
        file: str,
        rows: tuple[int, ...],
        column: str,
    ) -> Fact:
        half = 2.776 * (stdev(values) if len(values) > 1 else 0) / len(values) ** 0.5
        origins = (Origin(file, sha256(file.encode()).hexdigest(), rows, column),)
        return self.keep(
            fact(
                mean(values),
                unit,
                metric=metric,
                statistic="mean",
                subject=about,
                n=len(values),
                n_failed=1 if "qwen" in file else 0,
                ci95=(mean(values) - half, mean(values) + half) if len(values) > 1 else None,
                origins=origins,
                expression=f"mean({column}) over rows {rows[0]}-{rows[-1]}",
            )
        )

    def ratio(self, a: Fact, b: Fact) -> Fact:
        assert isinstance(a.value, float)
        assert isinstance(b.value, float)
        return self.keep(
            fact(
                a.value / b.value,
                "ratio",
                metric=a.metric,
                statistic="ratio",
                subject={"model": a.subject["model"], "baseline": b.subject["model"]},
                operands=(a.id, b.id),
                origins=(),
                flags=("derived",),
                expression=f"{a.id} / {b.id}",
                ci95=(a.value / b.value - 0.02, a.value / b.value + 0.03),
            )
        )

    def table(self) -> Table:
        header = (
            "Model",
            "Options",
            "Decode throughput, tokens/s",
            "Interval",
            "TTFT, ms",
            "Load, s",
            "n",
        )
        rows = tuple(
            (
                (Name(model),),
                (Name(config),),
                (Num(tps, with_unit=False, strong=True),),
                (
                    Num(tps, "ci_low", with_unit=False),
                    *spans(" to "),
                    Num(tps, "ci_high", with_unit=False),
                ),
                (Num(ttft, unit="ms", with_unit=False),),
                (Num(cold, with_unit=False),),
                (Num(tps, "n"),),
            )
            for model, config, tps, ttft, cold, _, _ in self.rows
        )
        return Table(
            tuple(spans(h) for h in header),
            rows,
            caption=spans("Warm requests only; cold starts stand in their own column."),
        )

    def charts(self) -> tuple[Chart, Chart]:
        speed = Chart(
            spans("Decode throughput by model and options"),
            "tokens/s",
            tuple(r[5] for r in self.rows),
            better="higher",
            note=spans("Each dot is one request."),
        )
        ttft = Chart(
            spans("Time to first token, cold starts beside warm requests"),
            "s",
            tuple(r[6] for r in self.rows),
            better="lower",
            log=True,
        )
        return speed, ttft

    def summary(self) -> Paragraph:
        best, other = self.rows[0], self.rows[-1]
        ratio = self.ratio(best[2], other[2])
        first: tuple[str | Span, ...] = (
            *(Name(best[0]), " is ", Num(ratio, strong=True), " times as fast as "),
            *(Name(other[0]), ", and the interval of the difference excludes zero."),
        )
        second: tuple[str | Span, ...] = (
            *("It decodes ", Num(best[2]), " where the other reaches ", Num(other[2])),
            *(", measured on ", Num(best[2], "n"), " warm requests of each."),
        )
        third = "Whether context size matters cannot be told: each ran once."
        return Paragraph((said(*first), said(*second), said(third)))

    def findings(self) -> Bullets:
        _, config, _, _, cold, _, _ = self.rows[0]
        reloads = said("Reloads explain the slow first requests: ", Num(cold), " on average.")
        option = said("The reload, not the option, sets the first token of ", Name(config), ".")
        return Bullets(((reloads,), (option,)), ordered=True)

    @staticmethod
    def appendix() -> tuple[Details, Quotation]:
        prompt = Quotation(
            "You are a careful analyst.\nWrite 300 to 400 words.",
            "text",
            caption=spans("What the model was asked:"),
        )
        record = Quotation(
            '{"model": "gemma3:270m", "eval_rate": 101.25}',
            "json",
            Origin("results/run.jsonl", "ab" * 32, (12,)),
            spans("A record as it stands in"),
        )
        return Details(spans("Persona prompt"), (prompt,)), record

    def report(self) -> Report:
        files = self.keep(fact(101, metric="files", origins=(Origin("results", ""),)))
        holds = Paragraph((said("The folder holds ", Num(files), " files; none was rejected."),))
        cold = said("Cold starts are set apart in ", Name("bench_warm.csv"), ".")
        notes = Bullets(((cold,), (said("Copies were counted once."),)))
        main: tuple[tuple[str, str, tuple[Block, ...]], ...] = (
            ("summary", "Executive summary", (self.summary(),)),
            ("data", "Data ingestion", (holds, notes)),
            ("performance", "Performance analysis", (self.table(), *self.charts())),
            ("findings", "Key findings", (self.findings(),)),
        )
        sections = [Section(k, spans(title), some, numbered=True) for k, title, some in main]
        sections.append(Section("appendix", spans("Appendix"), self.appendix()))
        meta = (
            ("Folder", (Name("results/2025-10-08"),)),
            ("Agent", spans("gemma, temperature default")),
            ("Files", spans(Num(files), " read")),
        )
        title = spans("Inference performance of local models")
        return Report(title, meta, tuple(sections), self.facts)
