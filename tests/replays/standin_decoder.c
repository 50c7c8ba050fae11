/* A STAND-IN for AMD's librocprof-trace-decoder.so, for tests: it speaks the same interface and decodes nothing.
 *
 * Its "shader data" is a recording that tests make of waves that were decoded elsewhere (tests/standin_decoder.py):
 * the word WSTANDIN, the numbers of waves and of occupancy events, then per wave 8 numbers and its rows of 6,
 * then events of 5; every number is an int64. It asks for each instruction's text, as a decoder must, and fails
 * where it gets none. Types: include/trace_decoder_types.h of github.com/ROCm/rocprof-trace-decoder.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { uint64_t address, code_object_id; } pc_t;
typedef struct { uint32_t category : 8, stall : 24; int32_t duration; int64_t time; pc_t pc; } inst_t;
typedef struct {
    uint8_t cu, simd, wave_id, contexts;
    uint32_t rsvd1, rsvd2, rsvd3;
    int64_t begin_time, end_time;
    uint64_t timeline_size, instructions_size;
    void *timeline_array;
    inst_t *instructions_array;
} wave_t;
typedef struct {
    pc_t pc;
    uint64_t time;
    uint8_t reserved, cu, simd, wave_id;
    uint32_t start : 1, rsvd : 31;
} occupancy_t;

typedef int (*trace_fn)(int, void *, uint64_t, void *);
typedef int (*isa_fn)(char *, uint64_t *, uint64_t *, pc_t, void *);
typedef uint64_t (*data_fn)(uint8_t **, uint64_t *, void *);

enum { OK, ERROR, OUT_OF_RESOURCES, INVALID_ARGUMENT, INVALID_SHADER_DATA };
enum { GFXIP, OCCUPANCY, PERFEVENT, WAVE, INFO };

static int knows(isa_fn isa, pc_t pc, void *user)
{
    char small[4], text[512];
    uint64_t bytes = 0, size = sizeof small;
    int status = isa(small, &bytes, &size, pc, user); /* too small for any instruction: asks for the size */
    if (status != OUT_OF_RESOURCES || size > sizeof text) return ERROR;
    status = isa(text, &bytes, &size, pc, user);
    return status == OK && bytes ? OK : ERROR;
}

int rocprof_trace_decoder_parse_data(data_fn data, trace_fn trace, isa_fn isa, void *user)
{
    uint8_t *buffer = NULL;
    uint64_t size = 0;
    if (!data(&buffer, &size, user) || size < 24 || memcmp(buffer, "WSTANDIN", 8)) return INVALID_SHADER_DATA;
    const int64_t *at = (const int64_t *)(buffer + 8);
    int64_t waves = *at++, events = *at++;
    int status = trace(GFXIP, (void *)(uintptr_t)9, 1, user);
    for (int64_t number = 0; number < waves && !status; number++) {
        wave_t wave = {.cu = at[0], .simd = at[1], .wave_id = at[2], .begin_time = at[3], .end_time = at[4]};
        int64_t rows = at[5], lost = at[6];
        at += 8;
        inst_t *list = calloc(rows + 1, sizeof *list);
        for (int64_t row = 0; row < rows; row++, at += 6) {
            list[row] = (inst_t){.time = at[0], .category = at[1], .stall = at[2], .duration = at[3],
                                 .pc = {at[4], at[5]}};
            if (!status && (list[row].pc.address || list[row].pc.code_object_id))
                status = knows(isa, list[row].pc, user);
        }
        wave.instructions_size = rows;
        wave.instructions_array = list;
        if (!status) status = trace(WAVE, &wave, 1, user);
        int32_t info = 1;
        if (!status && lost) status = trace(INFO, &info, 1, user);
        free(list);
    }
    for (int64_t number = 0; number < events && !status; number++, at += 5) {
        occupancy_t event = {.time = at[0], .cu = at[1], .simd = at[2], .wave_id = at[3], .start = at[4]};
        status = trace(OCCUPANCY, &event, 1, user);
    }
    return status;
}

const char *rocprof_trace_decoder_get_info_string(int info) { return info == 1 ? "stand-in: data lost" : "none"; }

const char *rocprof_trace_decoder_get_status_string(int status)
{
    return status == INVALID_SHADER_DATA ? "stand-in: invalid shader data" : "stand-in: error";
}
