"""OpenVINO, for the least time of one run. Left alone it computes in bfloat16 where the processor has it."""

NAME = "OpenVINO"
PACKAGES = ("openvino", "onnx")
ENVIRONMENT = {}


def load(_, folder, arrays, threads):
    import openvino

    model = openvino.Core().compile_model(folder / "subject.onnx", "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": True})
    request = model.create_infer_request()
    feed = dict(enumerate(arrays[:len(model.inputs)]))
    return lambda: list(request.infer(feed, share_inputs=True, share_outputs=True).values())
