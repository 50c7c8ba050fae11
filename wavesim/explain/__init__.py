"""Why a kernel takes the clocks it takes: critical path, what-if ladder, exposed latencies, tried advice."""
