/* A STAND-IN for libamdhip64.so: it executes nothing on any GPU. It keeps "device" memory on the host, writes every call to a
   log, and fails on demand, so that everything up to the launch is exercised with the true hip-python wheels.

   WAVESIM_STANDIN_LOG      file to which calls are appended
   WAVESIM_STANDIN_DEVICES  number of devices (1)
   WAVESIM_STANDIN_ARCH     gcnArchName ("gfx942:sramecc+:xnack-")
   WAVESIM_STANDIN_FAIL     "function=code": that function gives that error code
   WAVESIM_STANDIN_CLOCKS   set: a launch stores made-up clocks where a microbenchmark (two arguments) or a stamped kernel
                            (stamps are its last argument) would store measured ones
   WAVESIM_STANDIN_HANG     set: waiting for an event never ends
   WAVESIM_STANDIN_ABORT    set: waiting for an event aborts the process, as a GPU memory fault does */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { /* the fields up to gcnArchName, in the order of the public header (ABI R0600) */
  char name[256]; char uuid[16]; char luid[8]; unsigned luidDeviceNodeMask; size_t totalGlobalMem; size_t sharedMemPerBlock;
  int regsPerBlock; int warpSize; size_t memPitch; int maxThreadsPerBlock; int maxThreadsDim[3]; int maxGridSize[3]; int clockRate;
  size_t totalConstMem; int major; int minor; size_t textureAlignment; size_t texturePitchAlignment; int deviceOverlap;
  int multiProcessorCount; int kernelExecTimeoutEnabled; int integrated; int canMapHostMemory; int computeMode; int textures[40];
  size_t surfaceAlignment; int concurrentKernels; int eccEnabled; int pci[3]; int tccDriver; int asyncEngineCount; int unifiedAddressing;
  int memoryClockRate; int memoryBusWidth; int l2CacheSize; int persistingL2CacheMaxSize; int maxThreadsPerMultiProcessor;
  int streamPrioritiesSupported; int globalL1CacheSupported; int localL1CacheSupported; size_t sharedMemPerMultiprocessor;
  int regsPerMultiprocessor; int flags1[11]; size_t sharedMemPerBlockOptin; int flags2[4]; size_t reservedSharedMemPerBlock;
  int flags3[13]; int reserved[63]; int hipReserved[32]; char gcnArchName[256];
} properties_t;

static long allocated;
#define MOST_BUFFERS 64
static struct { unsigned *start; size_t size; } buffers[MOST_BUFFERS];

static void say(const char *format, ...) {
  const char *path = getenv("WAVESIM_STANDIN_LOG");
  FILE *log = path ? fopen(path, "a") : NULL;
  if (!log) return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(log, format, arguments);
  va_end(arguments);
  fputc('\n', log);
  fclose(log);
}

static int fails(const char *function) {
  const char *wish = getenv("WAVESIM_STANDIN_FAIL");
  size_t length = strlen(function);
  if (!wish || strncmp(wish, function, length) || wish[length] != '=') return 0;
  say("%s fails", function);
  return atoi(wish + length + 1);
}

#define ENTER(name) do { int code = fails(name); if (code) return code; } while (0)

int hipGetDeviceCount(int *count) {
  ENTER("hipGetDeviceCount");
  const char *wish = getenv("WAVESIM_STANDIN_DEVICES");
  *count = wish ? atoi(wish) : 1;
  say("hipGetDeviceCount");
  return *count ? 0 : 100;
}
int hipSetDevice(int device) { ENTER("hipSetDevice"); say("hipSetDevice %d", device); return 0; }
int hipGetDevicePropertiesR0600(properties_t *to, int device) {
  ENTER("hipGetDeviceProperties");
  const char *arch = getenv("WAVESIM_STANDIN_ARCH");
  memset(to, 0, sizeof *to);
  strcpy(to->name, "STAND-IN, not a GPU");
  strncpy(to->gcnArchName, arch ? arch : "gfx942:sramecc+:xnack-", 255);
  to->multiProcessorCount = 304;
  to->clockRate = 2100000;
  to->totalGlobalMem = (size_t)256 << 30;
  to->sharedMemPerBlock = 65536;
  to->warpSize = 64;
  say("hipGetDeviceProperties %d", device);
  return 0;
}
int hipDriverGetVersion(int *version) { *version = 0; return 0; }
int hipRuntimeGetVersion(int *version) { *version = 0; return 0; }
const char *hipGetErrorString(int code) { (void)code; return "an error of the stand-in"; }
const char *hipGetErrorName(int code) { (void)code; return "hipErrorStandIn"; }
int hipModuleLoadData(void **module, const void *image) {
  ENTER("hipModuleLoadData");
  say("hipModuleLoadData %02x%.3s", ((const unsigned char *)image)[0], (const char *)image + 1);
  *module = malloc(8);
  return 0;
}
int hipModuleGetFunction(void **function, void *module, const char *name) {
  ENTER("hipModuleGetFunction");
  say("hipModuleGetFunction %s", name);
  *function = module;
  return 0;
}
int hipModuleUnload(void *module) { say("hipModuleUnload"); free(module); return 0; }
int hipMalloc(void **to, size_t size) {
  ENTER("hipMalloc");
  *to = calloc(1, size);
  for (int at = 0; at < MOST_BUFFERS; at++)
    if (!buffers[at].start) { buffers[at].start = *to; buffers[at].size = size; break; }
  allocated += 1;
  say("hipMalloc %zu", size);
  return *to ? 0 : 2;
}
int hipFree(void *buffer) {
  for (int at = 0; at < MOST_BUFFERS; at++)
    if (buffers[at].start == buffer) buffers[at].start = NULL;
  allocated -= buffer != NULL; say("hipFree, %ld left", allocated); free(buffer); return 0;
}
int hipMemcpy(void *to, const void *from, size_t size, int kind) {
  ENTER("hipMemcpy");
  memcpy(to, from, size);
  say("hipMemcpy %zu kind %d", size, kind);
  return 0;
}
int hipMemset(void *to, int value, size_t size) {
  ENTER("hipMemset");
  memset(to, value, size);
  say("hipMemset %zu with %d", size, value);
  return 0;
}
int hipEventCreate(void **event) { ENTER("hipEventCreate"); *event = malloc(8); return 0; }
int hipEventDestroy(void *event) { free(event); return 0; }
int hipEventRecord(void *event, void *stream) { (void)event; (void)stream; ENTER("hipEventRecord"); return 0; }
int hipEventSynchronize(void *event) {
  (void)event;
  ENTER("hipEventSynchronize");
  if (getenv("WAVESIM_STANDIN_HANG")) for (;;) sleep(1);
  if (getenv("WAVESIM_STANDIN_ABORT")) abort();
  return 0;
}
int hipEventElapsedTime(float *ms, void *start, void *stop) { (void)start; (void)stop; *ms = 0.0f; return 0; }
/* Made-up clocks: every microbenchmark takes 5000 clk, every pass of a stamped kernel 3000. */
static void make_up(const unsigned char *arguments, size_t size) {
  unsigned *to;
  memcpy(&to, arguments + (size == 16 ? 0 : size - 8), 8);
  for (int at = 0; at < MOST_BUFFERS; at++) {
    if (!to || buffers[at].start != to) continue;
    size_t words = buffers[at].size / 4;
    for (size_t word = 0; word < words; word++) {
      size_t lane = word % 128;
      if (size == 16) to[word] = 5000;
      else if (lane < 64) to[word] = 100000 + 3000 * (unsigned)(lane + 1);
      else to[word] = lane == 64 ? 100000 : lane == 66 ? 400000 : lane == 68 ? 500000 : lane == 70 ? 64 : 0;
    }
  }
}
int hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned lds,
                          void *stream, void **parameters, void **extra) {
  (void)function; (void)stream; (void)parameters;
  ENTER("hipModuleLaunchKernel");
  char hex[1025] = "";
  if (extra && extra[0] == (void *)1) {
    const unsigned char *data = extra[1];
    size_t size = *(size_t *)extra[3];
    for (size_t at = 0; at < size && at < 512; at++) sprintf(hex + 2 * at, "%02x", data[at]);
    if (getenv("WAVESIM_STANDIN_CLOCKS") && size >= 16) make_up(data, size);
  }
  say("hipModuleLaunchKernel grid %u,%u,%u block %u,%u,%u lds %u arguments %s (nothing was executed)", gx, gy, gz, bx, by, bz, lds, hex);
  return 0;
}
