"""Why a kernel takes the clocks it takes: critical path, what-ifs, exposed latencies, tried advice."""
