"""The words of the field: metrics, parameters and identities, and how files spell them.

Each metric has its meaning, its canonical unit and which way is better. The spellings are
closed lists: a name that is not here is kept under its own name, never guessed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Better = Literal["higher", "lower", ""]


class Metric(msgspec.Struct, frozen=True):
    """A metric: ``unit`` is canonical, ``better`` is "" where neither way is better."""

    key: str
    label: str
    unit: str
    better: Better
    meaning: str


_M = Metric
METRICS: dict[str, Metric] = {
    m.key: m
    for m in (
        _M("ttft", "TTFT", "s", "lower", "request sent to first non-empty token received"),
        _M("tpot", "TPOT", "s", "lower", "(E2E latency - TTFT) / (output tokens - 1)"),
        _M("itl", "ITL", "s", "lower", "gaps between tokens"),
        _M("e2e_latency", "E2E latency", "s", "lower", "request sent to last token"),
        _M("load_time", "load time", "s", "lower", "the server loads the model"),
        _M("prefill_time", "prefill time", "s", "lower", "the server evaluates the prompt"),
        _M("decode_time", "decode time", "s", "lower", "the server generates the answer"),
        _M("first_answer", "time to first answer token", "s", "lower", "after any reasoning"),
        _M("server_total", "time in the server", "s", "lower", "the whole request, as it says"),
        _M("queue_time", "queue time", "s", "lower", "the request waits in the server"),
        _M("generation_time", "generation time", "s", "lower", "time of one answer, as named"),
        _M("compile_time", "compile time", "s", "lower", "time to compile a model"),
        _M("duration", "time", "s", "lower", "a time, as its file names it"),
        _M(
            "decode_throughput",
            "decode throughput",
            "tokens/s",
            "higher",
            "output tokens / decode time of one request",
        ),
        _M(
            "output_throughput",
            "output throughput",
            "tokens/s",
            "higher",
            "output tokens of all requests / benchmark duration",
        ),
        _M(
            "wall_throughput",
            "tokens over wall time",
            "tokens/s",
            "higher",
            "tokens of one answer / its whole time",
        ),
        _M(
            "input_throughput",
            "input throughput",
            "tokens/s",
            "higher",
            "input tokens of all requests / benchmark duration",
        ),
        _M(
            "total_throughput",
            "total throughput",
            "tokens/s",
            "higher",
            "input and output tokens / benchmark duration",
        ),
        _M(
            "prefill_throughput",
            "prefill throughput",
            "tokens/s",
            "higher",
            "prompt tokens / prefill time",
        ),
        _M(
            "token_rate",
            "token rate as reported",
            "tokens/s",
            "higher",
            "a rate whose file does not say what it divides by what",
        ),
        _M(
            "request_throughput",
            "request throughput",
            "requests/s",
            "higher",
            "completed requests per second",
        ),
        _M("sample_throughput", "sample throughput", "samples/s", "higher", "samples per second"),
        _M("goodput", "goodput", "requests/s", "higher", "requests per second that meet the SLOs"),
        _M("output_tokens", "output tokens", "tokens", "", "tokens generated"),
        _M("prompt_tokens", "prompt tokens", "tokens", "", "tokens in the prompt"),
        _M("cached_tokens", "cached tokens", "tokens", "", "prompt tokens not evaluated again"),
        _M("total_tokens", "total tokens", "tokens", "", "prompt and output tokens"),
        _M("tokens", "tokens", "tokens", "", "tokens, as their file names them"),
        _M("response_chars", "response characters", "characters", "", "length of the answer"),
        _M("accuracy", "accuracy", "1", "higher", "share of right answers"),
        _M("loss", "loss", "1", "lower", "loss of a model"),
        _M("model_size", "model size", "bytes", "", "size of the model's file"),
    )
}

METRIC_SPELLINGS: dict[str, str] = {
    spelling: key
    for key, spellings in {
        "ttft": "ttft time_to_first_token first_token_latency first_token_time first_token "
        "time_first_token ttfts time_to_first_tokens zeit_bis_zum_ersten_token",
        "tpot": "tpot time_per_output_token tpots time_per_token",
        "itl": "itl inter_token_latency intertoken_latency inter_token_latencies itls "
        "inter_token_time",
        "e2e_latency": "e2e_latency e2el e2e end_to_end_latency request_latency latency latencies "
        "response_time total_latency request_duration total_duration end_to_end total_time "
        "request_latencies end_to_end_time e2els e2e_latencies",
        "load_time": "load load_time load_duration model_load model_load_time load_model",
        "prefill_time": "prompt_eval prompt_eval_time prompt_eval_duration prefill prefill_time "
        "prefill_duration prompt_processing_time server_prefill",
        "decode_time": "eval eval_time eval_duration decode decode_time decode_duration predicted "
        "server_decode generation_phase_time",
        "first_answer": "first_answer time_to_first_answer",
        "server_total": "server_total",
        "queue_time": "server_queue "
        "queue queue_time wait_time queue_duration waiting_time queueing_time",
        "generation_time": "generation_time gen_time generation_duration generation",
        "compile_time": "compile_time compilation_time",
        "duration": "time times duration elapsed elapsed_time runtime run_time wall_time wall "
        "execution_time exec_time benchmark_duration wall_clock wall_clock_time bench_duration",
        "decode_throughput": "eval_rate decode_throughput decode_tokens_per_s decode_rate "
        "generation_tokens_per_s gen_tokens_per_s decode_tps generation_tps predicted_per_s "
        "decode_speed gen_tps eval_tps eval_tokens_per_s tg_throughput tg_tokens_per_s "
        "generation_speed",
        "output_throughput": "output_throughput output_token_throughput output_tokens_per_s "
        "output_tps output_token_throughput_tokens_per_s",
        "total_throughput": "total_throughput total_token_throughput total_tokens_per_s "
        "total_tps overall_throughput",
        "prefill_throughput": "prompt_eval_rate prefill_throughput prompt_per_s prefill_rate "
        "prompt_tokens_per_s prefill_tokens_per_s prompt_eval_tokens_per_s prefill_tps "
        "pp_tokens_per_s prompt_tps prompt_eval_tps pp_throughput",
        "input_throughput": "input_throughput input_token_throughput input_tokens_per_s",
        "token_rate": "tokens_per_s tps output_speed token_throughput token_rate generation_rate "
        "tokens_throughput speed_tokens_per_s throughput_tokens_per_s",
        "request_throughput": "request_throughput requests_per_s rps qps queries_per_s "
        "request_rate_achieved",
        "sample_throughput": "samples_per_s sample_throughput",
        "goodput": "goodput request_goodput",
        "output_tokens": "output_tokens eval_count completion_tokens generated_tokens "
        "tokens_generated output_len output_lens output_length predicted_n output_token_count "
        "output_sequence_length completion_token_count num_output_tokens new_tokens "
        "output_tokens_count tokens_out ausgabe_tokens num_generated_tokens generated_token_count",
        "prompt_tokens": "prompt_tokens prompt_eval_count input_tokens input_len input_lens "
        "input_length prompt_n input_sequence_length prompt_token_count num_prompt_tokens "
        "num_input_tokens eingabe_tokens "
        "input_token_count prompt_len tokens_in prompt_length",
        "cached_tokens": "cached_tokens cache_n cached_prompt_tokens",
        "total_tokens": "total_tokens",
        "tokens": "tokens token_count num_tokens tokens_count",
        "response_chars": "response_chars response_length_chars response_characters",
        "accuracy": "accuracy acc",
        "loss": "loss",
        "model_size": "model_size model_size_bytes",
    }.items()
    for spelling in spellings.split()
}

PARAMETER_SPELLINGS: dict[str, str] = {
    spelling: key
    for key, spellings in {
        "num_gpu": "num_gpu n_gpu_layers gpu_layers ngl num_gpu_layers",
        "num_ctx": "num_ctx n_ctx ctx context_length context_size ctx_size max_model_len "
        "context_window ctx_len num_context max_context_length",
        "temperature": "temperature temp temperatur",
        "top_p": "top_p",
        "top_k": "top_k",
        "min_p": "min_p",
        "repeat_penalty": "repeat_penalty repetition_penalty",
        "seed": "seed random_seed",
        "num_predict": "num_predict max_tokens max_new_tokens n_predict max_output_tokens",
        "num_thread": "num_thread threads n_threads num_threads thread_count",
        "num_batch": "num_batch n_batch",
        "batch_size": "batch_size bs batch batchsize",
        "num_ubatch": "n_ubatch ubatch_size",
        "concurrency": "concurrency max_concurrency num_concurrent concurrent_requests clients "
        "num_clients users num_users concurrent_users parallel num_parallel n_parallel",
        "request_rate": "request_rate target_rps target_qps target_request_rate arrival_rate",
        "tensor_parallel": "tensor_parallel tensor_parallel_size tp tp_size",
        "pipeline_parallel": "pipeline_parallel pipeline_parallel_size pp_size",
        "n_prompt": "n_prompt",
        "n_gen": "n_gen",
        "n_depth": "n_depth",
        "flash_attn": "flash_attn flash_attention",
        "cache_type_k": "type_k cache_type_k kv_cache_type kv_cache_dtype",
        "cache_type_v": "type_v cache_type_v",
        "dtype": "dtype torch_dtype",
        "device": "device",
        "num_prompts": "num_prompts",
        "seq_len": "seq_len sequence_length",
        "keep_alive": "keep_alive",
        "speculative": "speculative draft_model",
    }.items()
    for spelling in spellings.split()
}

IDENTITY_SPELLINGS: dict[str, str] = {
    spelling: key
    for key, spellings in {
        "model": "model model_name model_id llm model_path model_filename hf_model model_alias "
        "model_tag modell modele modelo",
        "quantization": "quantization quant quantisation precision quant_type weight_type",
        "engine": "engine framework server runtime inference_engine engine_name",
        "backend": "backend backends provider",
        "engine_version": "engine_version version build_number server_version ollama_version "
        "vllm_version",
        "gpu": "gpu_name gpu_info device_name accelerator gpu_model gpu",
        "cpu": "cpu_info cpu_name cpu_model cpu",
        "host": "host hostname ollama_host base_url server_url endpoint",
        "workload": "dataset dataset_name workload task scenario suite",
        "prompt": "prompt prompt_text question query input_text",
        "prompt_id": "prompt_id prompt_index prompt_name prompt_no prompt_number",
        "test": "test_name benchmark_name benchmark test name case test_case experiment",
        "config": "config_name config configuration config_id variant",
        "run": "run_id run request_id req_id run_name uuid",
    }.items()
    for spelling in spellings.split()
}

STATUS_SPELLINGS: dict[str, str] = {
    spelling: key
    for key, spellings in {
        "error": "error error_message err exception error_msg error_text failure failure_reason "
        "error_type errors fehler erreur",
        "success": "success ok succeeded passed successful",
        "status": "status outcome state result_status status_code error_code http_status",
        "phase": "phase stage is_warmup warmup is_warm_up cold_start is_cold cold",
        "repeat": "repeat rep repetition iteration iter trial run_index run_number attempt "
        "repeat_index rep_id lauf laufe",
        "time": "timestamp datetime date time_utc started_at start_time created_at generated_at "
        "test_timestamp test_datetime test_time export_timestamp export_datetime completed_at "
        "ended_at end_time created finished_at datum zeitstempel",
        "count": "n count samples n_samples num_samples runs repeats iterations prompt_count "
        "requests num_requests completed total_tests successful_tests samples_per_run "
        "total_requests num_runs request_count failed failed_requests successful_requests "
        "metrics_count total_inferences anzahl",
        "text": "response response_text output output_text banter_text answer completion text "
        "content generated_text generated_texts variations input_data output_data",
    }.items()
    for spelling in spellings.split()
}

# Columns that tell of failures by their name and the type of their cells. "flag": a truth value,
# "reason": why an answer ended, "code": how a process ended.
FAILURE_MARKS: dict[str, str] = {
    spelling: kind
    for kind, spellings in {
        "flag": "timed_out timeout failed is_failed has_failed error is_error cancelled canceled "
        "aborted",
        "reason": "finish_reason finish_reasons stop_reason stop_reasons",
        "code": "exit_code exit_codes return_code return_codes returncode returncodes",
    }.items()
    for spelling in spellings.split()
}

STATISTICS: dict[str, str] = {
    "mean": "mean",
    "avg": "mean",
    "average": "mean",
    "mittelwert": "mean",
    "durchschnitt": "mean",
    "moyenne": "mean",
    "median": "median",
    "min": "min",
    "minimum": "min",
    "max": "max",
    "maximum": "max",
    "std": "sd",
    "stddev": "sd",
    "stdev": "sd",
    "sd": "sd",
    "variance": "variance",
    "var": "variance",
    "mode": "mode",
    "iqr": "iqr",
    "mad": "mad",
    "overall": "overall",
    "peak": "max",
}


def metric_label(key: str) -> str:
    """The metric's name as people write it; an unknown key is its own label."""
    metric = METRICS.get(key)
    return metric.label if metric else key


def metric_better(key: str) -> Better:
    """Which way is better; "" where neither is, or the metric is unknown."""
    metric = METRICS.get(key)
    return metric.better if metric else ""
