"""ONNX Runtime, its own graph optimizations on."""

NAME = "ONNX Runtime"
PACKAGES = ("onnxruntime", "onnx")
ENVIRONMENT = {}


def load(_, folder, arrays, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning between runs would take the processors from the other contenders.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(folder / "subject.onnx", options, providers=["CPUExecutionProvider"])
    feed = {given.name: array for given, array in zip(session.get_inputs(), arrays)}
    return lambda: session.run(None, feed)
