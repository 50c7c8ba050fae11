// Where ROCm keeps it.
#include "../hip_runtime.h"
