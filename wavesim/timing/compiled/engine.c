/* The compiled timing engine: docs/model as one flat C file (sections: §). C11, no dependencies.
 *
 * It jumps from slot to slot in which something can happen. A wave stands in a wheel of slots at the next one
 * in which it is to be looked at; a wave that waits for what nobody knows yet stands nowhere, and is put into
 * the wheel by what makes it known. In one slot, in this order: accesses that became head of their LDS pair
 * before it are served; waves arrive at barriers and end; waves are tested; SIMDs choose; ports grant; SIMDs
 * that a port denied fill up; accesses that become head in this clock are served.
 *
 * Nothing here knows Python: wavesim/timing/compiled/engine.py calls it on flat arrays that it has checked.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef WAVESIM_SOURCE_HASH
#define WAVESIM_SOURCE_HASH "unknown"
#endif

#if defined(_WIN32)
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

#define NEVER ((int64_t)1 << 60)
#define LONG_AGO (-NEVER)
#define UNKNOWN (-1)
#define FOLLOWS (-1)

/* -- what Python passes: names are asked for, so that both sides number them alike */

#define PARAMETERS(X)                                                                                        \
    X(simds) X(pairs) X(slot_clk) X(valu_per_slot) X(bank_reads_per_slot) X(dual_after_mfma_clk)             \
    X(packed_after_mfma_clk) X(turns_idle_clk) X(turns_clk) X(turn_clk) X(scale_load_clk)                    \
    X(lds_queue_entries) X(lds_queue_hold_clk) X(join_from_clk) X(join_near_clk) X(join_most_clk)            \
    X(join_clk) X(from_memory_bytes_per_clk) X(gap_valu_to_memory_clk) X(gap_valu_sgpr_to_scalar_clk)        \
    X(gap_salu_to_cbranch_clk) X(gap_salu_to_vmem_clk) X(refill_clk) X(restart_first_clk)                    \
    X(restart_next_clk) X(chunk_bytes) X(icache_bytes) X(icache_line_bytes) X(icache_units)                  \
    X(page_bytes) X(prefetch_bytes) X(miss_clk) X(lgkm_max) X(vm_max) X(release_early_clk)                   \
    X(release_late_clk)                                                                                      \
    X(memory_queue_entries) X(memory_queue_hold_clk) X(memory_acknowledge_clk) X(memory_tail_entries)        \
    X(memory_tail_bytes) X(memory_to_lds_held_bytes) X(memory_bytes_per_clk) X(memory_l1_hit_bytes_per_clk)  \
    X(memory_min_service_clk) X(memory_store_queue_bytes) X(memory_idle_clk)                                                             \
    X(memory_idle_restart_clk) X(spin_patience_clk) X(max_clk) X(lds_write_drain) X(lds_alternation)         \
    X(dispatch_wave_interval_clk) X(dispatch_workgroup_least_clk) X(dispatch_engine_units)                    \
    X(dispatch_after_end_clk) X(dispatch_first_instruction_clk) X(vmem_in_order) X(vmem_first_come) X(vmem_round_robin) X(vmem_store_data) X(endpgm_drain)                \
    X(arbitration) X(oldest_first)

#define OP_FIELDS(X)                                                                                         \
    X(category) X(kind) X(first_chunk) X(last_chunk) X(hold_clk) X(packed) X(writes_sgpr) X(scaled)          \
    X(as_first) X(as_second) X(scalar_read) X(scalar_write) X(even_reads) X(odd_reads) X(first_even)         \
    X(first_odd) X(goes_first) X(to_lds) X(lgkm) X(vm) X(wait_lgkm) X(wait_vm) X(priority) X(memory_bytes)   \
    X(sends) X(port_clk) X(array_clk) X(subdword_clk) X(latency_clk) X(pipe_clk) X(blocks_valu_clk) X(blocks_memory_clk)

#define CATEGORIES(X) X(valu) X(mfma) X(lds) X(vmem) X(scalar) X(branch) X(internal)

#define KINDS(X)                                                                                             \
    X(valu) X(trans) X(mfma) X(lds_read) X(lds_write) X(vmem_load) X(vmem_store) X(salu) X(smem) X(branch)   \
    X(cond_branch) X(wait) X(nop) X(barrier) X(setprio) X(sleep) X(endpgm) X(internal)

#define REASONS(X)                                                                                           \
    X(not_started) X(finished) X(issue) X(hold) X(nop) X(branch) X(fetch) X(dependency) X(barrier)           \
    X(lgkmcnt) X(vmcnt) X(counter_full) X(matrix_pipe) X(mfma_coissue) X(valu_busy) X(lds_hold)              \
    X(lds_queue) X(vmem_queue) X(arbitration) X(port)

#define AS_P(name) P_##name,
#define AS_CATEGORY(name) C_##name,
#define AS_KIND(name) K_##name,
#define AS_REASON(name) R_##name,
#define AS_FIELD(name) int64_t name;
#define AS_TEXT(name) #name " "

enum { PARAMETERS(AS_P) P_COUNT };
enum { CATEGORIES(AS_CATEGORY) C_COUNT };
enum { KINDS(AS_KIND) K_COUNT };
enum { REASONS(AS_REASON) R_COUNT, NO_REASON = -1 };

typedef struct { OP_FIELDS(AS_FIELD) } Op;

API const char *wavesim_source_hash(void) { return WAVESIM_SOURCE_HASH; }
API const char *wavesim_parameters(void) { return PARAMETERS(AS_TEXT); }
API const char *wavesim_op_fields(void) { return OP_FIELDS(AS_TEXT); }
API const char *wavesim_categories(void) { return CATEGORIES(AS_TEXT); }
API const char *wavesim_kinds(void) { return KINDS(AS_TEXT); }
API const char *wavesim_reasons(void) { return REASONS(AS_TEXT); }

enum { STATUS_RUNNING, STATUS_DONE, STATUS_LIMIT, STATUS_NO_MEMORY };

/* One wave's stream: pointers into Python's arrays, which outlive the engine. */
typedef struct {
    int64_t simd, slot, workgroup, start_clk, rows; /* start_clk FOLLOWS: when there is room for its workgroup */
    const int32_t *code, *array_clk, *memory_bytes, *memory_latency_clk, *memory_path_clk16, *memory_hit_bytes;
    const uint8_t *taken;
    int64_t *attempt_clk, *issue_clk, *end_clk, *done_clk;
    const int64_t *spins; /* (last, first, store wave, store row, number), by last */
    int64_t spin_count;
    int64_t *spin_repeats;
} WaveInput;

typedef struct {
    const int64_t *parameters;
    const int64_t *pair_of, *barrier_place; /* by SIMD; the place in barrier.simd_order */
    const int64_t *wave_simds;              /* in the order of dispatch.wave_simds */
    int64_t waves_per_simd, workgroups;     /* that the compute unit holds, if any follow */
    int64_t op_count;
    const int64_t *ops;
    /* SGPRs that some VMEM instruction reads, numbered from 0: by op, those written and read */
    int64_t sgpr_count;
    const int32_t *write_offsets, *writes, *read_offsets, *reads;
    int64_t wave_count, workgroup_count;
    const WaveInput *waves;
    int64_t by_order_count;
    const int32_t *latency_by_order;
    int64_t head_by_order_count;
    const int32_t *head_by_order;
    int64_t line_count; /* 0: no line of code is ever missing */
    int64_t page_offset_lines;
    const int64_t *lines; /* numbers of those that hold code, ascending */
} Input;

/* What Python copies out. */
typedef struct {
    int32_t row, reason, clk, by_wave, by_row;
} Stall;

typedef struct {
    int64_t start_clk, end_clk;
    int32_t wave, row;
} Use;

typedef struct {
    int32_t wave, row;
} By; /* whom to blame; -1, -1: nobody */

static const By NOBODY = {-1, -1};

/* -- arrays that grow */

typedef struct {
    void *items;
    int64_t count, room;
} List;

typedef struct {
    int64_t ret_clk; /* NEVER until served */
    int32_t row, count;
} Outstanding;

typedef struct {
    Outstanding *items;
    int32_t count, room;
    int64_t total; /* of the counts */
} Counter;

typedef struct {
    int64_t issue_clk, head_clk, port_clk, array_clk, late_clk, latency_clk, queue_free_clk;
    int32_t wave, row;
    int8_t drains; /* a write whose data holds wave and pair until it is done */
} Access;

/* A queue in a ring of a power of two: entries [first, last), each at its number modulo the size. */
typedef struct {
    Access *items;
    int64_t room, first, last;
} Ring;

typedef struct {
    int64_t chunk, usable_clk;
    int32_t by_branch;
} Chunk;

typedef struct {
    int64_t number, comes_clk;
    int64_t asked_at; /* requests before the clock at which it was asked for; NEVER: not yet */
    int8_t led;       /* what is fetched ahead of it has been asked for; it counts where all lines fit */
} Line;

typedef struct {
    int64_t clk;
    int32_t row;
} Last; /* the latest issue of some kind by a wave */

enum { ST_TEST, ST_ARRIVE, ST_AT_BARRIER, ST_END, ST_STOPPED, ST_OVER };

typedef struct {
    WaveInput in;
    const Op *op; /* of row: what it does next */
    int32_t number, simd, slot, pair, group, place;
    int64_t start_clk; /* -1: not known yet */
    int64_t row;
    int8_t state, linked;
    int32_t next, previous; /* in its slot's list */
    int64_t due_clk;        /* a slot; NEVER: something will say */
    int64_t free_clk;       /* E of §2 */
    int64_t finish_clk;     /* -1: not yet */
    int32_t reason;
    int64_t since_clk;
    By by;
    List stalls; /* Stall */
    int64_t priority;
    Counter lgkm, vm;
    int64_t last_return_clk, vmem_from_clk;
    Last last_valu, last_valu_sgpr, last_salu;
    Last *sgprs;
    int64_t arrival_clk, release_clk;
    By barrier_by;
    Chunk *chunks;
    int32_t chunk_count, chunk_room;
    int64_t line; /* where it is in the list of lines */
    int32_t polling; /* index into spins of the loop whose last pass found nothing; -1 */
} Wave;

typedef struct {
    int32_t wave, reason; /* NO_REASON: chosen */
    By by;
} Candidate;

typedef struct {
    int64_t vmem_clk; /* when it last issued to global memory */
    int64_t pipe_free, scaled_start, valu_blocked, memory_blocked, valu_held, dual_from, packed_from;
    By pipe_by, scaled_by, valu_blocked_by, memory_blocked_by, valu_held_by;
    int32_t *waves, wave_count;
    Candidate *candidates;
    int32_t candidate_count, *chosen, chosen_count;
    int8_t filling; /* a port denied one of its waves in this slot */
    int64_t held;   /* waves on it that have not ended; room for them is given all at once */
} Simd;

typedef struct {
    Ring queue; /* also served ones that still hold their entry */
    int64_t served; /* the first of the queue that is not served */
    int64_t held_until, previous_done, stream_start;
    By held_by;
    int32_t last_simd, simd_before;
    int8_t wave_waits; /* a wave waits for an entry whose end is not known */
    int32_t *asking, asking_count;
} Pair;

typedef struct {
    int64_t live, arrived, first_clk;
    int8_t held; /* its waves are on the compute unit, or were */
    int64_t end_clk, end_place; /* of the latest end since a barrier was complete; clk -1: none */
    By end_by;
} Group;

typedef struct {
    uint8_t *ring; /* by slot modulo its size: 1 active, 2 a scaled MFMA's matrix half starts */
    int64_t room, pending;
    int64_t next; /* the first slot that has not been counted */
    int64_t pause, pause_slots, restricted_slots, counted, first, turn, held;
    int8_t applies, called, has_first, before_was_active;
} Turns;

/* Teacher-forced prediction: what was seen, what is predicted; by wave. */
typedef struct {
    const int64_t *seen_clk;
    const uint8_t *half; /* the trace reports the matrix half of this scaled MFMA */
    int64_t *predicted_clk, *arrived_clk;
} Measured;

typedef struct {
    int64_t other_clk, allowed;
    int64_t first, count; /* of `counted` */
    int32_t wave, row;
} Late;

typedef struct {
    Measured *waves;
    int64_t *test_clk;
    uint8_t *left, *waiting, *open, *issuing;
    int64_t left_count;
    List late, counted; /* Late; (row, count) as Outstanding */
} Sweep;

#define WHEEL 512

typedef struct {
    int64_t p[P_COUNT];
    Op *ops;
    const int32_t *write_offsets, *writes, *read_offsets, *reads;
    const int32_t *latency_by_order, *head_by_order;
    int64_t by_order_count, head_by_order_count;
    /* code */
    Line *lines;
    int64_t line_count, page_offset_lines, chunks_per_line, lines_per_page, prefetch_lines, held_lines;
    int64_t line_requests, line_requests_before, line_clk;
    Wave *waves;
    int32_t wave_count;
    Simd *simds;
    Pair *pairs;
    Group *groups;
    /* dispatch: the first wave that follows and was not started; the latest workgroup's start and SIMD */
    const int64_t *pair_of, *barrier_place, *wave_simds;
    int64_t waves_per_simd, most_groups, held_groups;
    int32_t following;
    int64_t latest_start_clk, latest_turn, *turns_to_place;
    Turns turns;
    int32_t wheel[WHEEL];
    uint64_t filled[WHEEL / 64];
    int64_t wheel_slot; /* slots before it are over */
    int64_t now;
    int32_t *due;
    /* bank array */
    int64_t array_free, next_head;
    int32_t last_winner;
    Ring from_memory; /* by head_clk */
    /* global memory */
    int64_t *accepted, *returned, *service, *moved, *store_bytes;
    int64_t vmem_count, vmem_room;
    int64_t in_flight_first, in_flight_bytes; /* the accesses that may be in flight with the latest one */
    int64_t path_end_clk16;                   /* of the compute unit's share of the device's memory */
    By *vmem_by;
    int64_t last_vmem_clk, wake_clk, store_until; /* until then the latest store's data leave the registers */
    By store_by;
    int32_t last_vmem_simd;
    By last_vmem;
    int32_t *asking, asking_count;
    int64_t news_clk; /* §12: nothing but repeated passes since */
    List *uses; /* Use, by resource: simds MFMA pipes, pairs ports, array, memory */
    Outstanding *sorted;
    int32_t sorted_room;
    int8_t failed, forced;
    Access spare_access;
    Stall spare_stall;
    Use spare_use;
    Outstanding spare_outstanding;
    Chunk spare_chunk;
    Sweep *sweep;
} Engine;

#define P(name) (e->p[P_##name])

static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t first_slot(const Engine *e, int64_t clk) {
    int64_t slot = P(slot_clk);
    return clk <= 0 ? 0 : slot == 4 ? (clk + 3) & ~(int64_t)3 : (clk + slot - 1) / slot * slot;
}

static void *grown(Engine *e, void *items, int64_t *room, int64_t count, size_t size) {
    int64_t more = *room ? *room : 8;
    while (more < count) more *= 2;
    void *bigger = realloc(items, (size_t)more * size);
    if (!bigger) {
        e->failed = 1;
        return items;
    }
    *room = more;
    return bigger;
}

static Stall *add_stall(Engine *e, List *list) {
    if (list->count == list->room) {
        list->items = grown(e, list->items, &list->room, list->count + 1, sizeof(Stall));
        if (list->count == list->room) return &e->spare_stall;
    }
    return (Stall *)list->items + list->count++;
}

static void log_use(Engine *e, int64_t resource, int64_t start, int64_t end, int32_t wave, int64_t row) {
    List *list = &e->uses[resource];
    Use *use = &e->spare_use;
    if (list->count == list->room)
        list->items = grown(e, list->items, &list->room, list->count + 1, sizeof(Use));
    if (list->count < list->room) use = (Use *)list->items + list->count++;
    *use = (Use){start, end, wave, (int32_t)row};
}

static Access *ring_at(const Ring *ring, int64_t number) { return &ring->items[number & (ring->room - 1)]; }

static Access *ring_push(Engine *e, Ring *ring) {
    if (ring->last - ring->first == ring->room) {
        int64_t room = ring->room ? 2 * ring->room : 16;
        Access *items = malloc((size_t)room * sizeof(Access));
        if (!items) {
            e->failed = 1;
            return &e->spare_access;
        }
        for (int64_t n = ring->first; n < ring->last; n++) items[n & (room - 1)] = *ring_at(ring, n);
        free(ring->items);
        ring->items = items;
        ring->room = room;
    }
    return ring_at(ring, ring->last++);
}

/* -- counters (§7) */

static void counter_add(Engine *e, Counter *c, int64_t ret_clk, int64_t row, int64_t count) {
    Outstanding *item = &e->spare_outstanding;
    if (c->count == c->room) {
        int64_t room = c->room;
        c->items = grown(e, c->items, &room, c->count + 1, sizeof(Outstanding));
        c->room = (int32_t)room;
    }
    if (c->count < c->room) item = &c->items[c->count++];
    *item = (Outstanding){ret_clk, (int32_t)row, (int32_t)count};
    c->total += count;
}

static void counter_forget(Counter *c, int64_t now) {
    int32_t kept = 0;
    for (int32_t i = 0; i < c->count; i++) {
        if (c->items[i].ret_clk > now)
            c->items[kept++] = c->items[i];
        else
            c->total -= c->items[i].count;
    }
    c->count = kept;
}

/* Whether more than `allowed` are outstanding; what has returned is forgotten only if it could matter. */
static int counter_exceeds(Counter *c, int64_t allowed, int64_t now) {
    if (c->total <= allowed) return 0;
    counter_forget(c, now);
    return c->total > allowed;
}

/* When no more than `allowed` are outstanding, NEVER if that is not known yet; and the row whose return it is:
 * accesses in order of return, equal ones in order of issue. */
static int64_t counter_falls_clk(Engine *e, const Counter *c, int64_t allowed, int32_t *row) {
    *row = -1;
    if (c->count > e->sorted_room) {
        int64_t room = e->sorted_room;
        e->sorted = grown(e, e->sorted, &room, c->count, sizeof(Outstanding));
        e->sorted_room = (int32_t)room;
        if (c->count > e->sorted_room) return NEVER;
    }
    for (int32_t i = 0; i < c->count; i++) {
        Outstanding item = c->items[i];
        int32_t j = i;
        while (j > 0 && e->sorted[j - 1].ret_clk > item.ret_clk) {
            e->sorted[j] = e->sorted[j - 1];
            j--;
        }
        e->sorted[j] = item;
    }
    int64_t left = c->total;
    for (int32_t i = 0; i < c->count; i++) {
        left -= e->sorted[i].count;
        if (left <= allowed) {
            *row = e->sorted[i].row;
            return e->sorted[i].ret_clk;
        }
    }
    return LONG_AGO;
}

static void counter_returns(Counter *c, int32_t row, int64_t ret_clk) {
    for (int32_t i = 0; i < c->count; i++) {
        if (c->items[i].row == row && c->items[i].ret_clk == NEVER) {
            c->items[i].ret_clk = ret_clk;
            return;
        }
    }
}

/* -- what a wave's clocks go to */

static void book(Engine *e, Wave *w, int32_t reason, int64_t clk, By by) {
    if (clk <= 0 || e->forced) return;
    Stall *stall = NULL;
    if (w->stalls.count) {
        stall = (Stall *)w->stalls.items + w->stalls.count - 1;
        if (stall->row != w->row || stall->reason != reason) stall = NULL;
    }
    if (!stall) {
        stall = add_stall(e, &w->stalls);
        *stall = (Stall){(int32_t)w->row, reason, 0, -1, -1};
    }
    stall->clk += (int32_t)clk;
    stall->by_wave = by.wave;
    stall->by_row = by.row;
}

/* The wave waits for `reason` from `now` on; the one to blame is the last one named. */
static void stall(Engine *e, Wave *w, int32_t reason, int64_t now, By by) {
    if (w->reason != reason) {
        if (w->reason != NO_REASON) book(e, w, w->reason, now - w->since_clk, w->by);
        w->reason = reason;
        w->since_clk = now;
    }
    w->by = by;
}

static void end_stall(Engine *e, Wave *w, int64_t now) {
    if (w->reason == NO_REASON) return;
    book(e, w, w->reason, now - w->since_clk, w->by);
    w->reason = NO_REASON;
}

/* -- the wheel */

static void unlink_wave(Engine *e, Wave *w) {
    if (!w->linked) return;
    w->linked = 0;
    if (w->next >= 0) e->waves[w->next].previous = w->previous;
    if (w->previous >= 0) {
        e->waves[w->previous].next = w->next;
    } else {
        int64_t bucket = -(int64_t)w->previous - 2;
        e->wheel[bucket] = w->next;
        if (w->next < 0) e->filled[bucket >> 6] &= ~((uint64_t)1 << (bucket & 63));
    }
}

/* Look at the wave in the first slot not before `clk`; NEVER: not until it is scheduled again. */
static void schedule(Engine *e, Wave *w, int64_t clk) {
    if (e->forced) return;
    if (w->linked) unlink_wave(e, w);
    if (clk >= NEVER) {
        w->due_clk = NEVER;
        return;
    }
    w->due_clk = first_slot(e, clk);
    int64_t slot = P(slot_clk) == 4 ? w->due_clk >> 2 : w->due_clk / P(slot_clk);
    if (slot >= e->wheel_slot + WHEEL) slot = e->wheel_slot + WHEEL - 1; /* looked at again there */
    int64_t bucket = slot & (WHEEL - 1);
    int32_t head = e->wheel[bucket];
    w->next = head;
    w->previous = (int32_t)(-bucket - 2);
    if (head >= 0)
        e->waves[head].previous = w->number;
    else
        e->filled[bucket >> 6] |= (uint64_t)1 << (bucket & 63);
    e->wheel[bucket] = w->number;
    w->linked = 1;
}

static int lowest_bit(uint64_t word) {
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(word);
#else
    int bit = 0;
    while (!(word & 1)) word >>= 1, bit++;
    return bit;
#endif
}

/* The next slot in which a wave is to be looked at; -1: none. */
static int64_t next_slot(const Engine *e) {
    int64_t bucket = e->wheel_slot & (WHEEL - 1);
    int64_t word = bucket >> 6;
    uint64_t bits = e->filled[word] & (~(uint64_t)0 << (bucket & 63));
    for (int turn = 0; turn <= WHEEL / 64; turn++) {
        if (bits) {
            int64_t found = (word << 6) + lowest_bit(bits);
            return e->wheel_slot + ((found - bucket) & (WHEEL - 1));
        }
        word = (word + 1) & (WHEEL / 64 - 1);
        bits = e->filled[word];
        if (turn == WHEEL / 64 - 1) bits &= ~(~(uint64_t)0 << (bucket & 63));
    }
    return -1;
}

/* -- vector turns (§9), counted slot by slot */

static void turns_mark(Engine *e, int64_t clk, uint8_t flag) {
    Turns *t = &e->turns;
    int64_t slot = clk / P(slot_clk);
    if (!t->applies || slot < t->next || clk > P(max_clk)) return;
    if (slot - t->next >= t->room) {
        int64_t room = t->room ? t->room : 64;
        while (slot - t->next >= room) room *= 2;
        uint8_t *ring = calloc((size_t)room, 1);
        if (!ring) {
            e->failed = 1;
            return;
        }
        for (int64_t n = t->next; n < t->next + t->room; n++) ring[n & (room - 1)] = t->ring[n & (t->room - 1)];
        free(t->ring);
        t->ring = ring;
        t->room = room;
    }
    uint8_t *mark = &t->ring[slot & (t->room - 1)];
    if (!*mark) t->pending++;
    *mark |= flag | 1;
}

static int64_t turns_holder(const Engine *e, int64_t slot) {
    const Turns *t = &e->turns;
    int64_t clk = t->has_first ? (slot - t->first) * P(slot_clk) : 0;
    int64_t passed = clk + P(turn_clk) / 2;
    /* rounded down also where `seen` has moved the first slot into the future */
    int64_t turns = passed >= 0 ? passed / P(turn_clk) : -((-passed + P(turn_clk) - 1) / P(turn_clk));
    int64_t holder = (t->turn + turns) % P(simds);
    return holder < 0 ? holder + P(simds) : holder;
}

static void turns_begin_anew(Turns *t, int called, int64_t pause) {
    t->called = (int8_t)called;
    t->pause = pause;
    t->has_first = 0;
    t->counted = 0;
    t->turn = t->held;
}

static void turns_count(Engine *e, int active) {
    Turns *t = &e->turns;
    if (active) {
        t->pause = max64(0, t->pause - 1);
        if (t->called) {
            if (!t->has_first) {
                t->has_first = 1;
                t->first = t->next;
            } else if (t->before_was_active) {
                t->counted++;
            }
            t->held = turns_holder(e, t->next);
            if (t->counted >= t->restricted_slots) turns_begin_anew(t, 0, 0);
        }
    } else {
        t->pause = min64(t->pause_slots, t->pause + 1);
        if (t->pause == t->pause_slots) turns_begin_anew(t, 1, t->pause);
    }
    t->before_was_active = (int8_t)active;
}

/* Whether VALU and MFMA of one SIMD only issue in the slot `now`; every slot before it is counted. */
static int turns_restrict(Engine *e, int64_t now) {
    Turns *t = &e->turns;
    if (!t->applies) return 0;
    int64_t end = now / P(slot_clk);
    while (t->next < end) {
        if (!t->pending) { /* nothing but a pause, however long */
            int64_t idle = min64(end - t->next, t->pause_slots + 1);
            t->next = end - idle;
        }
        uint8_t *mark = t->room ? &t->ring[t->next & (t->room - 1)] : NULL;
        int active = mark && *mark;
        turns_count(e, active);
        if (active) {
            *mark = 0;
            t->pending--;
        }
        t->next++;
    }
    return t->called && t->before_was_active;
}

static int turns_half_starts(const Engine *e, int64_t now) {
    const Turns *t = &e->turns;
    int64_t slot = now / P(slot_clk);
    return slot >= t->next && slot - t->next < t->room && (t->ring[slot & (t->room - 1)] & 2);
}

/* -- fetch (§3) and dependency gaps (§4) */

/* The place of a line of code; -1: it holds none. Most often the one at `near` or the next. */
static int64_t find_line(const Engine *e, int64_t number, int64_t near) {
    int64_t low = 0, high = e->line_count;
    for (int64_t place = near; place < near + 2 && place < high; place++)
        if (e->lines[place].number == number) return place;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (e->lines[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < e->line_count && e->lines[low].number == number ? low : -1;
}

/* Ask for the line at a place, and for those ahead of it on its page; what is missing comes at `comes_clk`. */
static void use_line(Engine *e, int64_t place, int64_t comes_clk) {
    Line *line = &e->lines[place];
    int64_t to_page_end = e->lines_per_page - 1 - (line->number + e->page_offset_lines) % e->lines_per_page;
    int64_t last = line->number + min64(e->prefetch_lines, to_page_end);
    int all_fit = e->line_count <= e->held_lines;
    if (all_fit && line->led) return;
    line->led = 1;
    for (int64_t i = place; i < e->line_count && e->lines[i].number <= last; i++) {
        Line *ahead = &e->lines[i];
        if (ahead->asked_at < NEVER && e->line_requests_before - ahead->asked_at <= e->held_lines) continue;
        ahead->asked_at = e->line_requests_before;
        ahead->comes_clk = comes_clk;
        e->line_requests++;
    }
}

/* When the line of a chunk that a wave's fetch asks for now is there. */
static int64_t line_comes_clk(Engine *e, Wave *w, int64_t chunk, int64_t now) {
    if (!e->line_count) return now;
    if (now > e->line_clk) {
        e->line_clk = now;
        e->line_requests_before = e->line_requests;
    }
    int64_t place = find_line(e, chunk / e->chunks_per_line, w->line);
    if (place < 0) return now;
    w->line = place;
    use_line(e, place, now + P(miss_clk));
    return e->lines[place].comes_clk;
}

static Chunk *find_chunk(Wave *w, int64_t chunk) {
    for (int32_t i = 0; i < w->chunk_count; i++)
        if (w->chunks[i].chunk == chunk) return &w->chunks[i];
    return NULL;
}

static void set_chunk(Engine *e, Wave *w, int64_t chunk, int64_t usable_clk, int by_branch) {
    Chunk *found = &e->spare_chunk;
    if (w->chunk_count == w->chunk_room) {
        int64_t room = w->chunk_room;
        w->chunks = grown(e, w->chunks, &room, w->chunk_count + 1, sizeof(Chunk));
        w->chunk_room = (int32_t)room;
    }
    if (w->chunk_count < w->chunk_room) found = &w->chunks[w->chunk_count++];
    *found = (Chunk){chunk, usable_clk, by_branch};
}

/* A branch asks for the chunk and the next one. */
static void restart_fetch(Engine *e, Wave *w, int64_t chunk, int64_t now) {
    int64_t first = line_comes_clk(e, w, chunk, now), next = line_comes_clk(e, w, chunk + 1, now);
    set_chunk(e, w, chunk, max64(first, now + P(restart_first_clk)), 1);
    set_chunk(e, w, chunk + 1, max64(next, now + P(restart_next_clk)), 1);
}

/* What the fetch does when `op` issues at `now` and `after` comes next. */
static void fetch_after(Engine *e, Wave *w, const Op *op, const Op *after, int jumped, int64_t now) {
    if (jumped) {
        w->chunk_count = 0;
        restart_fetch(e, w, after->first_chunk, now);
    } else if (op->kind == K_cond_branch) {
        Chunk *here = find_chunk(w, op->last_chunk);
        Chunk kept = here ? *here : (Chunk){op->last_chunk, now, 0};
        w->chunk_count = 0;
        set_chunk(e, w, kept.chunk, kept.usable_clk, kept.by_branch);
        restart_fetch(e, w, op->last_chunk + 1, now);
    } else {
        for (int64_t chunk = op->first_chunk; chunk <= op->last_chunk && chunk < after->first_chunk; chunk++) {
            if (find_chunk(w, chunk + 2)) continue;
            int64_t usable = max64(now + P(refill_clk), line_comes_clk(e, w, chunk + 2, now));
            Chunk *left = find_chunk(w, chunk); /* its place may be taken: it is not needed any more */
            if (left)
                *left = (Chunk){chunk + 2, usable, 0};
            else
                set_chunk(e, w, chunk + 2, usable, 0);
        }
    }
}

/* When the bytes of the wave's next instruction are there: all of them, and those that a branch fetches. */
static void fetched_clk(Wave *w, const Op *op, int64_t *all, int64_t *by_branch) {
    *all = *by_branch = LONG_AGO;
    for (int32_t i = 0; i < w->chunk_count; i++) {
        const Chunk *chunk = &w->chunks[i];
        if (chunk->chunk < op->first_chunk || chunk->chunk > op->last_chunk) continue;
        *all = max64(*all, chunk->usable_clk);
        if (chunk->by_branch) *by_branch = max64(*by_branch, chunk->usable_clk);
    }
}

/* Condition 3: the clock before which the next instruction may not issue, and the row that says so. */
static int64_t gap_clk(const Engine *e, const Wave *w, const Op *op, int32_t *row) {
    int64_t need = LONG_AGO;
    *row = -1;
    switch (op->category) {
    case C_vmem:
    case C_lds:
        need = w->last_valu.clk + P(gap_valu_to_memory_clk);
        *row = w->last_valu.row;
        if (op->category == C_vmem) {
            int64_t number = op - e->ops;
            for (int32_t i = e->read_offsets[number]; i < e->read_offsets[number + 1]; i++) {
                const Last *written = &w->sgprs[e->reads[i]];
                int64_t until = written->clk + P(gap_salu_to_vmem_clk);
                if (until > need || (until == need && written->row > *row)) {
                    need = until;
                    *row = written->row;
                }
            }
        }
        break;
    case C_branch:
    case C_scalar:
        need = w->last_valu_sgpr.clk + P(gap_valu_sgpr_to_scalar_clk);
        *row = w->last_valu_sgpr.row;
        if (op->kind == K_cond_branch) {
            int64_t until = w->last_salu.clk + P(gap_salu_to_cbranch_clk);
            if (until > need || (until == need && w->last_salu.row > *row)) {
                need = until;
                *row = w->last_salu.row;
            }
        }
        break;
    default:
        break;
    }
    return need;
}

static int64_t booked_until(Engine *e, Wave *w, int32_t reason, int64_t now, int64_t until, By by) {
    if (until <= now) return now;
    until = first_slot(e, until);
    book(e, w, reason, until - now, by);
    return until;
}

/* The wave may attempt its next instruction from `free_clk` on: conditions 1 to 3 have known ends. */
static void enter(Engine *e, Wave *w, int64_t free_clk, int same_bytes) {
    const Op *op = w->op;
    int64_t now = free_clk = first_slot(e, free_clk);
    if (!same_bytes) {
        int64_t all, by_branch;
        fetched_clk(w, op, &all, &by_branch);
        if (all > now) {
            now = booked_until(e, w, R_branch, now, by_branch, NOBODY);
            now = booked_until(e, w, R_fetch, now, all, NOBODY);
        }
    }
    if (op->category != C_internal) {
        int32_t row;
        int64_t need = gap_clk(e, w, op, &row);
        if (need > now) now = booked_until(e, w, R_dependency, now, need, (By){w->number, row});
    }
    w->in.attempt_clk[w->row] = op->kind == K_wait || op->kind == K_barrier ? free_clk : now;
    w->state = op->kind == K_barrier ? ST_ARRIVE : ST_TEST;
    schedule(e, w, now);
}

/* -- LDS (§6) */

static void set_next_head(Engine *e) {
    int64_t next = NEVER;
    for (int64_t pair = 0; pair < P(pairs); pair++) {
        const Pair *port = &e->pairs[pair];
        if (port->served < port->queue.last)
            next = min64(next, max64(ring_at(&port->queue, port->served)->head_clk, port->previous_done));
    }
    if (e->from_memory.first < e->from_memory.last)
        next = min64(next, ring_at(&e->from_memory, e->from_memory.first)->head_clk);
    e->next_head = next;
}

/* Whether no access of the pair that issued before `now` is done later. */
static int pair_is_idle(const Pair *port, int64_t now) {
    if (port->previous_done > now) return 0;
    return port->served == port->queue.last || ring_at(&port->queue, port->served)->issue_clk >= now;
}

/* Rule lds_join: how much later a read to an idle pair becomes head while the other pair streams. */
static int64_t join_delay_clk(const Engine *e, int64_t pair, int64_t now) {
    if (P(pairs) != 2 || pair_is_idle(&e->pairs[1 - pair], now)) return 0;
    int64_t offset = now - e->pairs[1 - pair].stream_start;
    if (offset < P(join_from_clk)) return 0;
    return offset <= P(join_near_clk) ? min64(offset, P(join_most_clk)) : P(join_clk);
}

static void lds_forget(Pair *port, int64_t now) {
    Ring *queue = &port->queue;
    while (queue->first < port->served && ring_at(queue, queue->first)->queue_free_clk <= now) queue->first++;
}

/* When the pair's queue has a free entry, NEVER if that is not known yet; `now` or before: it has. */
static int64_t lds_free_clk(const Engine *e, Pair *port, int64_t now, By *by) {
    lds_forget(port, now);
    int64_t held = port->queue.last - port->queue.first;
    if (held < P(lds_queue_entries)) return now;
    const Access *oldest = ring_at(&port->queue, port->queue.last - P(lds_queue_entries));
    *by = (By){oldest->wave, oldest->row};
    return oldest->queue_free_clk;
}

static void moved_on(Engine *e, Wave *w, int64_t now, int64_t end);

static Access *lds_issue(Engine *e, Wave *w, const Op *op, int64_t now) {
    Pair *port = &e->pairs[w->pair];
    int64_t array = w->in.array_clk[w->row];
    int idle = pair_is_idle(port, now);
    lds_forget(port, now);
    Access *access = ring_push(e, &port->queue);
    *access = (Access){.issue_clk = now,
                       .head_clk = now,
                       .port_clk = op->port_clk,
                       .array_clk = max64(array == UNKNOWN ? op->array_clk : array, op->subdword_clk),
                       .late_clk = op->subdword_clk,
                       .latency_clk = op->latency_clk,
                       .queue_free_clk = NEVER,
                       .wave = w->number,
                       .row = (int32_t)w->row};
    if (op->sends) {
        port->held_until = now + op->hold_clk;
        port->held_by = (By){w->number, (int32_t)w->row};
        access->drains = idle && P(lds_write_drain);
    } else if (idle) {
        access->head_clk += join_delay_clk(e, w->pair, now);
    }
    if (idle) port->stream_start = now;
    counter_add(e, &w->lgkm, NEVER, w->row, op->lgkm);
    e->next_head = min64(e->next_head, max64(ring_at(&port->queue, port->served)->head_clk, port->previous_done));
    return access;
}

/* A return time became known while the wave waits for accesses: find when its wait ends. */
static void retry(Engine *e, Wave *w, int64_t now) {
    int64_t allowed;
    if (w->reason == R_lgkmcnt)
        allowed = w->op->wait_lgkm;
    else if (w->reason == R_counter_full && w->op->lgkm)
        allowed = P(lgkm_max) - w->op->lgkm;
    else
        return;
    if (!counter_exceeds(&w->lgkm, allowed, now)) return;
    int32_t row;
    int64_t until = counter_falls_clk(e, &w->lgkm, allowed, &row);
    if (until >= NEVER) return;
    w->by = (By){w->number, row};
    schedule(e, w, max64(until, now + 1));
}

static void hold_longer(Wave *w, int32_t row, int64_t until) {
    w->in.end_clk[row] = w->free_clk = until;
    if (w->finish_clk >= 0) w->finish_clk = until;
}

static void served(Engine *e, int64_t pair, int64_t clk, int64_t array_start) {
    Pair *port = &e->pairs[pair];
    Access *access = ring_at(&port->queue, port->served++);
    Wave *w = &e->waves[access->wave];
    int64_t done = max64(clk + access->port_clk, array_start + access->array_clk);
    int64_t ret = done + access->late_clk + access->latency_clk;
    port->previous_done = done;
    access->queue_free_clk = done + access->late_clk + P(lds_queue_hold_clk);
    log_use(e, P(simds) + pair, clk, done, access->wave, access->row);
    w->in.done_clk[access->row] = ret;
    counter_returns(&w->lgkm, access->row, ret);
    if (access->drains) {
        int64_t until = max64(port->held_until, first_slot(e, done));
        port->held_until = until;
        if (e->forced)
            hold_longer(w, access->row, until);
        else
            moved_on(e, w, access->issue_clk, until);
    }
    if (e->forced) return;
    if (w->reason == R_lgkmcnt || w->reason == R_counter_full) retry(e, w, clk);
    if (port->wave_waits) { /* an entry's end became known */
        By by = NOBODY;
        int64_t free_clk = lds_free_clk(e, port, clk, &by);
        if (free_clk >= NEVER) return;
        port->wave_waits = 0;
        for (int64_t simd = 0; simd < P(simds); simd++) {
            for (int32_t i = 0; i < e->simds[simd].wave_count; i++) {
                Wave *other = &e->waves[e->simds[simd].waves[i]];
                if (other->pair == pair && other->reason == R_lds_queue && other->due_clk >= NEVER)
                    schedule(e, other, max64(free_clk, clk + 1));
            }
        }
    }
}

static int64_t array_take(Engine *e, int64_t clk, const Access *access, int32_t requester) {
    int64_t start = max64(clk, e->array_free);
    e->array_free = start + access->array_clk;
    e->last_winner = requester;
    if (access->array_clk) log_use(e, P(simds) + P(pairs), start, e->array_free, access->wave, access->row);
    return start;
}

/* Serve all accesses that become head at `clk`; ties go round robin from the last winner. */
static void serve(Engine *e, int64_t clk) {
    int32_t requesters = (int32_t)P(pairs) + 1;
    int32_t last = e->last_winner;
    for (int32_t turn = 0; turn < requesters; turn++) {
        int32_t requester = (last + 1 + turn) % requesters;
        if (requester < P(pairs)) {
            Pair *port = &e->pairs[requester];
            if (port->served == port->queue.last) continue;
            Access access = *ring_at(&port->queue, port->served);
            if (max64(access.head_clk, port->previous_done) != clk) continue;
            served(e, requester, clk, array_take(e, clk, &access, requester));
        } else {
            Ring *coming = &e->from_memory;
            while (coming->first < coming->last && ring_at(coming, coming->first)->head_clk <= clk) {
                Access access = *ring_at(coming, coming->first++);
                array_take(e, clk, &access, requester);
            }
        }
    }
    set_next_head(e);
}

static void expect_from_memory(Engine *e, Wave *w, int64_t moved, int64_t clk) {
    if (!P(from_memory_bytes_per_clk)) return;
    int64_t array = (moved + P(from_memory_bytes_per_clk) - 1) / P(from_memory_bytes_per_clk);
    Ring *coming = &e->from_memory;
    Access *place = ring_push(e, coming);
    if (place == &e->spare_access) return;
    int64_t number = coming->last - 1;
    while (number > coming->first && ring_at(coming, number - 1)->head_clk > clk) {
        *ring_at(coming, number) = *ring_at(coming, number - 1);
        number--;
    }
    *ring_at(coming, number) = (Access){.head_clk = clk, .array_clk = array, .wave = w->number, .row = (int32_t)w->row};
    e->next_head = min64(e->next_head, clk);
}

/* -- global memory (§10) */

static int64_t vmem_free_clk(const Engine *e, const Op *op, int64_t now, By *by) {
    int64_t number = e->vmem_count - P(memory_queue_entries);
    if (op->kind == K_vmem_store) { /* of the queue's stores the latest that leave it no room */
        int64_t bytes = op->memory_bytes;
        for (int64_t n = e->vmem_count - 1; n > max64(number, -1); n--) {
            if (e->store_bytes[n] && (bytes += e->store_bytes[n]) > P(memory_store_queue_bytes)) {
                number = n;
                break;
            }
        }
    }
    if (number < 0) return now;
    *by = e->vmem_by[number];
    return e->accepted[number];
}

/* An instruction has its attempt `now`: the clock before which it does not issue (restart after idle). */
static int64_t vmem_attempted(Engine *e, int64_t now) {
    if (e->last_vmem_clk == LONG_AGO) return now;
    int64_t since = max64(e->last_vmem_clk, e->wake_clk);
    if (now - since > P(memory_idle_clk) && e->accepted[e->vmem_count - 1] <= now)
        e->wake_clk = now + P(memory_idle_restart_clk);
    return e->wake_clk;
}

static void vmem_issue(Engine *e, Wave *w, const Op *op, int64_t now) {
    int64_t n = e->vmem_count, row = w->row;
    if (n == e->vmem_room) {
        int64_t **columns[] = {&e->accepted, &e->returned, &e->service, &e->moved, &e->store_bytes};
        int64_t room = n, least = NEVER;
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            room = n;
            *columns[i] = grown(e, *columns[i], &room, n + 1, sizeof(int64_t));
            least = min64(least, room);
        }
        room = n;
        e->vmem_by = grown(e, e->vmem_by, &room, n + 1, sizeof(By));
        e->vmem_room = min64(least, room);
        if (n == e->vmem_room) return;
    }
    int64_t moved = w->in.memory_bytes[row];
    if (moved == UNKNOWN) moved = op->memory_bytes;
    int64_t hit = min64(w->in.memory_hit_bytes[row], moved), missing = moved - hit;
    int64_t rates = P(memory_bytes_per_clk) * P(memory_l1_hit_bytes_per_clk);
    int64_t service = missing * P(memory_l1_hit_bytes_per_clk) + hit * P(memory_bytes_per_clk);
    service = max64(P(memory_min_service_clk), (service + rates - 1) / rates);
    int64_t latency = n < e->by_order_count ? e->latency_by_order[n] : UNKNOWN;
    if (latency == UNKNOWN) latency = w->in.memory_latency_clk[row];
    if (latency == UNKNOWN) latency = op->latency_clk;
    int64_t accepted = now + P(memory_queue_hold_clk);
    if (n) accepted = max64(accepted, e->accepted[n - 1] + e->service[n - 1]);
    e->moved[n] = op->to_lds && missing ? max64(missing, P(memory_to_lds_held_bytes)) : missing;
    e->in_flight_bytes += e->moved[n];
    while (e->in_flight_first < n && (e->in_flight_bytes > P(memory_tail_bytes) ||
                                      n - e->in_flight_first >= P(memory_tail_entries)))
        e->in_flight_bytes -= e->moved[e->in_flight_first++];
    if (e->in_flight_first) accepted = max64(accepted, e->returned[e->in_flight_first - 1]);
    if (n < e->head_by_order_count) accepted += max64(0, e->head_by_order[n]);
    int64_t path = w->in.memory_path_clk16[row], served = accepted;
    if (path > 0) {
        e->path_end_clk16 = max64(16 * accepted, e->path_end_clk16) + path;
        served = (e->path_end_clk16 + 15) / 16;
    }
    int64_t returned = served + max64(0, latency - P(memory_queue_hold_clk));
    int64_t coming = op->kind == K_vmem_store ? min64(P(memory_acknowledge_clk), service) : service;
    if (n && P(vmem_in_order)) returned = max64(returned, e->returned[n - 1] + coming);
    e->accepted[n] = accepted;
    e->returned[n] = returned;
    e->service[n] = service;
    e->store_bytes[n] = op->kind == K_vmem_store ? op->memory_bytes : 0;
    e->vmem_by[n] = (By){w->number, (int32_t)row};
    e->vmem_count++;
    e->last_vmem_clk = e->simds[w->simd].vmem_clk = now;
    if (op->kind == K_vmem_store && P(vmem_store_data)) {
        e->store_until = now + (op->memory_bytes + P(memory_bytes_per_clk) - 1) / P(memory_bytes_per_clk);
        e->store_by = e->vmem_by[n];
    }
    w->last_return_clk = max64(w->last_return_clk, returned);
    w->in.done_clk[row] = returned;
    counter_add(e, &w->vm, returned, row, op->vm);
    if (op->lgkm) counter_add(e, &w->lgkm, returned, row, op->lgkm); /* flat addresses */
    log_use(e, P(simds) + P(pairs) + 1, accepted, returned, w->number, row);
    if (op->to_lds) expect_from_memory(e, w, moved, returned);
}

/* -- barriers (§8) */

static void complete_barrier(Engine *e, int32_t number, int64_t now) {
    Group *group = &e->groups[number];
    if (!group->live || group->arrived < group->live) return;
    int64_t last_clk = -1, last_place = -1;
    By last = NOBODY;
    for (int32_t i = 0; i < e->wave_count; i++) {
        const Wave *w = &e->waves[i];
        if (w->group != number || w->state != ST_AT_BARRIER) continue;
        if (w->arrival_clk > last_clk || (w->arrival_clk == last_clk && w->place >= last_place)) {
            last_clk = w->arrival_clk;
            last_place = w->place;
            last = (By){i, (int32_t)w->row};
        }
    }
    if (group->end_clk >= group->first_clk) {
        int later = group->end_clk > last_clk || (group->end_clk == last_clk && group->end_place > last_place);
        int same = group->end_clk == last_clk && group->end_place == last_place && group->end_by.wave > last.wave;
        if (later || same) {
            last_clk = group->end_clk;
            last_place = group->end_place;
            last = group->end_by;
        }
    }
    group->end_clk = -1;
    group->arrived = 0;
    for (int32_t i = 0; i < e->wave_count; i++) {
        Wave *w = &e->waves[i];
        if (w->group != number || w->state != ST_AT_BARRIER) continue;
        w->release_clk = last_clk + (w->place > last_place ? P(release_early_clk) : P(release_late_clk));
        w->by = w->arrival_clk < last_clk ? last : NOBODY;
        w->state = ST_TEST;
        schedule(e, w, max64(now, w->release_clk - P(slot_clk)));
    }
}

static void arrive(Engine *e, Wave *w, int64_t now) {
    Group *group = &e->groups[w->group];
    w->state = ST_AT_BARRIER;
    w->arrival_clk = now;
    w->release_clk = -1;
    w->reason = R_barrier;
    w->since_clk = now;
    w->by = NOBODY;
    schedule(e, w, NEVER);
    if (!group->arrived++) group->first_clk = now;
    complete_barrier(e, w->group, now);
}

/* The wave is over: its SIMD looks at it no more. */
static void leave(Engine *e, const Wave *w) {
    Simd *simd = &e->simds[w->simd];
    int32_t kept = 0;
    for (int32_t i = 0; i < simd->wave_count; i++)
        if (simd->waves[i] != w->number) simd->waves[kept++] = simd->waves[i];
    simd->wave_count = kept;
    simd->held--;
}

static void end_wave(Engine *e, Wave *w, int64_t now) {
    Group *group = &e->groups[w->group];
    w->state = ST_OVER;
    schedule(e, w, NEVER);
    leave(e, w);
    if (!--group->live) e->held_groups--;
    int later = now > group->end_clk || (now == group->end_clk && w->place > group->end_place);
    int same = now == group->end_clk && w->place == group->end_place && w->number > group->end_by.wave;
    if (later || same) {
        group->end_clk = now;
        group->end_place = w->place;
        group->end_by = (By){w->number, (int32_t)w->row};
    }
    complete_barrier(e, w->group, now);
}

/* -- conditions 4 to 13 (§2) */

static int waits(Engine *e, Wave *w, int32_t reason, int64_t now, int64_t until, By by) {
    if (e->forced) return 0;
    stall(e, w, reason, now, by);
    schedule(e, w, until);
    return 0;
}

static int waits_for_counter(Engine *e, Wave *w, const Counter *c, int64_t allowed, int32_t reason, int64_t now) {
    int32_t row;
    int64_t until = counter_falls_clk(e, c, allowed, &row);
    return waits(e, w, reason, now, until, (By){w->number, row});
}

static int has_room(Engine *e, Wave *w, const Op *op, int64_t now) {
    if (op->lgkm && counter_exceeds(&w->lgkm, P(lgkm_max) - op->lgkm, now))
        return waits_for_counter(e, w, &w->lgkm, P(lgkm_max) - op->lgkm, R_counter_full, now);
    if (op->vm && counter_exceeds(&w->vm, P(vm_max) - op->vm, now))
        return waits_for_counter(e, w, &w->vm, P(vm_max) - op->vm, R_counter_full, now);
    return 1;
}

/* When an MFMA may issue: a scaled one loads its scales while the one before leaves the pipe. */
static int64_t pipe_opens(const Engine *e, const Simd *simd, const Op *op) {
    return simd->pipe_free - (op->scaled ? P(scale_load_clk) : 0);
}

/* Whether the wave's next instruction is a candidate in the slot `now`; if not, when it is looked at again. */
static int test(Engine *e, Wave *w, int64_t now) {
    const Op *op = w->op;
    Simd *simd = &e->simds[w->simd];
    By by = NOBODY;
    switch (op->category) {
    case C_valu:
        if (simd->valu_blocked > now)
            return waits(e, w, R_mfma_coissue, now, simd->valu_blocked, simd->valu_blocked_by);
        if (simd->valu_held > now) return waits(e, w, R_valu_busy, now, simd->valu_held, simd->valu_held_by);
        if (op->packed && simd->packed_from > now) /* slot by slot: an earlier condition may fail meanwhile */
            return waits(e, w, R_matrix_pipe, now, now + P(slot_clk), simd->pipe_by);
        return 1;
    case C_mfma:
        if (pipe_opens(e, simd, op) > now)
            return waits(e, w, R_matrix_pipe, now, pipe_opens(e, simd, op), simd->pipe_by);
        return 1;
    case C_lds: {
        if (!has_room(e, w, op, now)) return 0;
        if (simd->memory_blocked > now)
            return waits(e, w, R_mfma_coissue, now, simd->memory_blocked, simd->memory_blocked_by);
        Pair *port = &e->pairs[w->pair];
        if (port->held_until > now) return waits(e, w, R_lds_hold, now, port->held_until, port->held_by);
        int64_t free_clk = lds_free_clk(e, port, now, &by);
        if (free_clk <= now) return 1;
        if (free_clk >= NEVER) port->wave_waits = 1;
        return waits(e, w, R_lds_queue, now, free_clk, by);
    }
    case C_vmem: {
        if (!e->forced && w->in.attempt_clk[w->row] == now) w->vmem_from_clk = vmem_attempted(e, now);
        if (!has_room(e, w, op, now)) return 0;
        if (simd->memory_blocked > now)
            return waits(e, w, R_mfma_coissue, now, simd->memory_blocked, simd->memory_blocked_by);
        int64_t free_clk = vmem_free_clk(e, op, now, &by);
        if (free_clk > now) /* a store slot by slot: loads issue meanwhile, and may fill the queue up */
            return waits(e, w, R_vmem_queue, now, op->kind == K_vmem_store ? now + P(slot_clk) : free_clk, by);
        int data_leave = op->kind == K_vmem_store && e->store_until > now;
        if (!data_leave && w->vmem_from_clk <= now) return 1;
        /* looked at slot by slot: meanwhile the queue may fill up, and then its entry is to blame */
        return waits(e, w, R_vmem_queue, now, now + P(slot_clk), data_leave ? e->store_by : NOBODY);
    }
    case C_internal:
        if (op->kind == K_wait) {
            if (op->wait_lgkm >= 0 && counter_exceeds(&w->lgkm, op->wait_lgkm, now))
                return waits_for_counter(e, w, &w->lgkm, op->wait_lgkm, R_lgkmcnt, now);
            if (op->wait_vm >= 0 && counter_exceeds(&w->vm, op->wait_vm, now))
                return waits_for_counter(e, w, &w->vm, op->wait_vm, R_vmcnt, now);
        }
        return 1; /* a barrier is looked at when it lets the wave go */
    default:
        return has_room(e, w, op, now);
    }
}

/* An MFMA keeps others out beyond its own slot: those that wait for what comes after that in the order of
 * conditions are looked at again in the next slot. */
static void review(Engine *e, Simd *simd, int64_t now) {
    int64_t again = now + P(slot_clk);
    if (e->forced) return;
    for (int32_t i = 0; i < simd->wave_count; i++) {
        Wave *w = &e->waves[simd->waves[i]];
        if (w->due_clk > again && w->state == ST_TEST && w->reason > R_mfma_coissue) schedule(e, w, again);
    }
}

/* -- issue */

static int find_spin(const Wave *w, int64_t row) {
    int64_t low = 0, high = w->in.spin_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (w->in.spins[5 * middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->in.spin_count && w->in.spins[5 * low] == row ? (int)low : -1;
}

/* Whether only another wave can ever let this one go on (or it is over). */
static int is_blocked(const Engine *e, const Wave *w) {
    if (w->start_clk < 0 || w->finish_clk >= 0 || w->state == ST_AT_BARRIER) return 1;
    if (w->polling < 0) return 0;
    const int64_t *spin = &w->in.spins[5 * w->polling];
    return e->waves[spin[2]].in.issue_clk[spin[3]] < 0;
}

/* §12: the last row of a polling loop issues: 1 it goes on, 0 it goes back, -1 it stops for good. */
static int spin_is_over(Engine *e, Wave *w, int number, int64_t now) {
    const int64_t *spin = &w->in.spins[5 * number];
    int64_t done = e->waves[spin[2]].in.done_clk[spin[3]];
    if (done >= 0 && done <= now) {
        w->polling = -1;
        return 1;
    }
    w->in.spin_repeats[spin[4]]++;
    w->polling = number;
    if (now - e->news_clk > P(spin_patience_clk)) return -1;
    for (int32_t i = 0; i < e->wave_count; i++)
        if (!is_blocked(e, &e->waves[i])) return 0;
    return -1;
}

static void finish(Engine *e, Wave *w, int64_t end, int by_endpgm) {
    w->finish_clk = end;
    if (by_endpgm) {
        w->state = ST_END;
        schedule(e, w, end);
    } else { /* its trace stops: barriers go on expecting it */
        w->state = ST_OVER;
        schedule(e, w, NEVER);
    }
}

/* The wave's instruction has issued at `now` and ends at `end`: what comes next. */
static void moved_on(Engine *e, Wave *w, int64_t now, int64_t end) {
    const Op *op = w->op;
    int64_t row = w->row, following = row + 1;
    int jumped = 0;
    w->in.end_clk[row] = w->free_clk = end;
    if (op->category == C_branch) jumped = op->kind == K_branch || w->in.taken[row];
    if (w->polling < 0) {
        e->news_clk = max64(e->news_clk, end);
        if (op->category == C_vmem || op->category == C_scalar)
            e->news_clk = max64(e->news_clk, w->in.done_clk[row]);
    }
    if (w->in.spin_count) {
        int number = find_spin(w, row);
        if (number >= 0) {
            int over = spin_is_over(e, w, number, now);
            if (over < 0) {
                w->state = ST_STOPPED;
                schedule(e, w, NEVER);
                return;
            }
            if (!over) {
                following = w->in.spins[5 * number + 1];
                jumped = 1;
            }
        }
    }
    if (op->kind == K_endpgm || following >= w->in.rows) {
        finish(e, w, end, op->kind == K_endpgm);
        return;
    }
    w->row = following;
    const Op *after = w->op = &e->ops[w->in.code[following]];
    int changes = jumped || op->kind == K_cond_branch || op->first_chunk != after->first_chunk;
    if (changes) fetch_after(e, w, op, after, jumped, now);
    if (!e->forced) enter(e, w, end, !changes && op->last_chunk == after->last_chunk);
}

static int64_t start_mfma(Engine *e, Wave *w, const Op *op, int64_t now) {
    Simd *simd = &e->simds[w->simd];
    By me = {w->number, (int32_t)w->row};
    int64_t start = now;
    turns_mark(e, now, 1);
    if (op->scaled) {
        start = simd->scaled_start = now + P(scale_load_clk);
        simd->scaled_by = me;
        turns_mark(e, start, 3);
    }
    simd->pipe_free = start + op->pipe_clk;
    simd->pipe_by = me;
    simd->dual_from = simd->pipe_free + P(dual_after_mfma_clk);
    if (P(packed_after_mfma_clk)) simd->packed_from = simd->pipe_free + P(packed_after_mfma_clk);
    if (start + op->blocks_valu_clk > simd->valu_blocked) {
        simd->valu_blocked = start + op->blocks_valu_clk;
        simd->valu_blocked_by = me;
    }
    if (start + op->blocks_memory_clk > simd->memory_blocked) {
        simd->memory_blocked = start + op->blocks_memory_clk;
        simd->memory_blocked_by = me;
    }
    w->in.done_clk[w->row] = simd->pipe_free;
    log_use(e, w->simd, start, simd->pipe_free, w->number, w->row);
    if (max64(simd->valu_blocked, simd->memory_blocked) > now + P(slot_clk)) review(e, simd, now);
    return start + P(slot_clk);
}

/* The wave's next instruction issues in the slot `now`. */
static void issue(Engine *e, Wave *w, int64_t now) {
    const Op *op = w->op;
    int64_t row = w->row;
    int64_t end = now + op->hold_clk;
    end_stall(e, w, now);
    w->in.issue_clk[row] = now;
    switch (op->category) {
    case C_lds:
        if (lds_issue(e, w, op, now)->drains && !e->forced) return; /* goes on when it is served, in this clock */
        break;
    case C_vmem:
        vmem_issue(e, w, op, now);
        break;
    case C_mfma:
        end = start_mfma(e, w, op, now);
        break;
    case C_valu:
        w->in.done_clk[row] = now;
        turns_mark(e, now, 1);
        w->last_valu = (Last){now, (int32_t)row};
        if (op->writes_sgpr) w->last_valu_sgpr = w->last_valu;
        if (op->hold_clk > P(slot_clk) && end > e->simds[w->simd].valu_held) {
            e->simds[w->simd].valu_held = end;
            e->simds[w->simd].valu_held_by = (By){w->number, (int32_t)row};
        }
        break;
    case C_scalar:
        w->in.done_clk[row] = now;
        if (op->kind == K_salu) {
            int64_t number = op - e->ops;
            w->last_salu = (Last){now, (int32_t)row};
            for (int32_t i = e->write_offsets[number]; i < e->write_offsets[number + 1]; i++)
                w->sgprs[e->writes[i]] = w->last_salu;
        } else if (op->lgkm) {
            int64_t latency = w->in.memory_latency_clk[row];
            w->in.done_clk[row] = now + (latency == UNKNOWN ? op->latency_clk : latency);
            counter_add(e, &w->lgkm, w->in.done_clk[row], row, op->lgkm);
        }
        break;
    default:
        w->in.done_clk[row] = now;
        if (op->kind == K_setprio) {
            w->priority = op->priority; /* the wave asks for nothing before its end */
        } else if (op->kind == K_barrier) {
            w->arrival_clk = w->release_clk = -1;
        } else if (op->kind == K_endpgm && P(endpgm_drain)) {
            end = max64(end, first_slot(e, w->last_return_clk));
        }
    }
    moved_on(e, w, now, end);
}

/* -- arbitration (§11) */

static int ranks_before(const Engine *e, const Wave *one, const Wave *other) {
    if (one->priority != other->priority) return one->priority > other->priority;
    if (one->op->goes_first != other->op->goes_first) return one->op->goes_first > other->op->goes_first;
    return P(oldest_first) ? one->number < other->number : one->number > other->number;
}

static int keeps_out(const Op *matrix, const Op *other) {
    if (matrix->category != C_mfma) return 0;
    if (other->category == C_valu) return matrix->blocks_valu_clk >= 4;
    return (other->category == C_lds || other->category == C_vmem) && matrix->blocks_memory_clk >= 4;
}

/* Whether two VALU instructions go together in a slot, `first` being first in rank (§9). */
static int have_room(const Engine *e, const Op *first, const Op *second) {
    int64_t reads = P(bank_reads_per_slot);
    if (!first->as_first || !second->as_second || first->as_first + second->as_second < 3) return 0;
    if ((first->scalar_read && second->scalar_read) || (first->scalar_write && second->scalar_write)) return 0;
    if (first->even_reads + second->even_reads > reads || first->odd_reads + second->odd_reads > reads) return 0;
    return !(second->first_even && first->even_reads >= reads - 1) &&
           !(second->first_odd && first->odd_reads >= reads - 1);
}

/* Why the candidate cannot be chosen beside those chosen already, and because of whom; NO_REASON if it can. */
static int32_t loses(const Engine *e, const Simd *simd, const Wave *w, int64_t now, By *by) {
    const Op *op = w->op;
    if (op->category == C_internal) return NO_REASON;
    if (P(arbitration) || op->category == C_mfma) {
        int64_t same = 0;
        int share = op->category == C_valu && simd->dual_from <= now;
        for (int32_t i = 0; i < simd->chosen_count; i++) {
            const Wave *other = &e->waves[simd->chosen[i]];
            if (other->op->category != op->category) continue;
            if (!same++) *by = (By){other->number, (int32_t)other->row};
            share = share && have_room(e, other->op, op);
        }
        if (same && same >= (share ? P(valu_per_slot) : 1)) return R_arbitration;
    }
    for (int32_t i = 0; i < simd->chosen_count; i++) {
        const Wave *other = &e->waves[simd->chosen[i]];
        if (keeps_out(op, other->op) || keeps_out(other->op, op)) {
            *by = (By){other->number, (int32_t)other->row};
            return R_mfma_coissue;
        }
    }
    return NO_REASON;
}

/* Step 1: the SIMD's candidates in order of rank. */
static void choose(Engine *e, Simd *simd, int64_t now) {
    int32_t count = simd->candidate_count;
    for (int32_t i = 1; i < count; i++) {
        Candidate moving = simd->candidates[i];
        int32_t j = i;
        while (j > 0 && ranks_before(e, &e->waves[moving.wave], &e->waves[simd->candidates[j - 1].wave])) {
            simd->candidates[j] = simd->candidates[j - 1];
            j--;
        }
        simd->candidates[j] = moving;
    }
    simd->chosen_count = 0;
    for (int32_t i = 0; i < count; i++) {
        Candidate *candidate = &simd->candidates[i];
        candidate->reason = count > 1 ? loses(e, simd, &e->waves[candidate->wave], now, &candidate->by) : NO_REASON;
        if (candidate->reason == NO_REASON) simd->chosen[simd->chosen_count++] = candidate->wave;
    }
}

/* The port did not go to the wave, because of `by`: its SIMD fills up later. */
static void deny(Engine *e, const Wave *w, By by) {
    Simd *simd = &e->simds[w->simd];
    int32_t kept = 0;
    for (int32_t i = 0; i < simd->chosen_count; i++)
        if (simd->chosen[i] != w->number) simd->chosen[kept++] = simd->chosen[i];
    simd->chosen_count = kept;
    simd->filling = 1;
    for (int32_t i = 0; i < simd->candidate_count; i++) {
        Candidate *candidate = &simd->candidates[i];
        if (candidate->wave != w->number) continue;
        candidate->reason = R_port;
        candidate->by = by;
    }
}

/* Whether nothing but an MFMA keeps the wave's instruction from the port of its category in the slot `now`. */
static int is_kept_out(Engine *e, Wave *w, int32_t category, int64_t now) {
    const Simd *simd = &e->simds[w->simd];
    const Op *op = w->op;
    By by;
    if (w->finish_clk >= 0 || op->category != category) return 0;
    for (int32_t i = 0; i < simd->candidate_count; i++)
        if (simd->candidates[i].wave == w->number) return simd->candidates[i].reason == R_mfma_coissue;
    int64_t attempt = w->in.attempt_clk[w->row];
    if (simd->memory_blocked <= now || attempt < 0 || attempt > now) return 0;
    if (op->lgkm && counter_exceeds(&w->lgkm, P(lgkm_max) - op->lgkm, now)) return 0;
    if (op->vm && counter_exceeds(&w->vm, P(vm_max) - op->vm, now)) return 0;
    if (category == C_lds) return 1; /* who asks shows that the pair takes one */
    if (op->kind == K_vmem_store && e->store_until > now) return 0;
    return w->vmem_from_clk <= now && vmem_free_clk(e, op, now, &by) <= now;
}

/* Step 2, LDS: a request of an earlier slot goes before one of this slot. Of several earlier ones that of the
 * SIMD which was not granted last wins, of several new ones the lower SIMD's. If an MFMA keeps the winner out,
 * nobody goes; -1: nobody asks. */
static int32_t lds_winner(Engine *e, int64_t pair, int64_t now) {
    Pair *port = &e->pairs[pair];
    if (!port->asking_count) return -1;
    int32_t winner = port->asking[0], best = -1, asks = 0;
    for (int32_t i = 0; i < e->wave_count && P(lds_alternation); i++) {
        Wave *w = &e->waves[i];
        if (w->pair != pair) continue;
        int asking = 0;
        for (int32_t k = 0; k < port->asking_count; k++) asking |= port->asking[k] == i;
        if (!asking && !is_kept_out(e, w, C_lds, now)) continue;
        int stood = w->in.attempt_clk[w->row] < now;
        int rank = stood ? 1 + (w->simd != port->last_simd) : 0;
        if (rank > best || (rank == best && w->simd < e->waves[winner].simd)) {
            best = rank;
            winner = i;
            asks = asking;
        }
    }
    if (asks || !P(lds_alternation)) port->last_simd = e->waves[winner].simd;
    return winner;
}

/* Since when a SIMD asks the global-memory port: its first attempt since the port served it. */
static int64_t vmem_asked_clk(const Engine *e, const Simd *simd, int64_t now) {
    int64_t first = NEVER;
    for (int32_t i = 0; i < simd->wave_count; i++) {
        const Wave *w = &e->waves[simd->waves[i]];
        if (w->finish_clk >= 0 || w->row >= w->in.rows || w->op->category != C_vmem) continue;
        int64_t attempt = w->in.attempt_clk[w->row];
        if (attempt >= 0 && attempt <= now) first = min64(first, attempt);
    }
    return max64(first, simd->vmem_clk + P(slot_clk));
}

/* Step 2, VMEM: a run of one wave, else the SIMD that has asked longest. If an MFMA keeps it out, nobody goes;
 * -1: nobody asks. */
static int32_t vmem_winner(Engine *e, int64_t now) {
    if (!e->asking_count) return -1;
    int32_t winner = e->asking[0], asks = 1;
    int64_t best = NEVER;
    for (int32_t i = 0; i < e->wave_count && P(vmem_round_robin); i++) {
        Wave *w = &e->waves[i];
        int asking = 0;
        for (int32_t k = 0; k < e->asking_count; k++) asking |= e->asking[k] == i;
        if (!asking && !(P(vmem_first_come) && is_kept_out(e, w, C_vmem, now))) continue;
        int64_t turn = (w->simd - e->last_vmem_simd - 1) % P(simds);
        if (turn < 0) turn += P(simds);
        int64_t key = P(vmem_first_come) ? vmem_asked_clk(e, &e->simds[w->simd], now) : turn;
        if (w->number == e->last_vmem.wave && w->row == (int64_t)e->last_vmem.row + 1) key = LONG_AGO;
        if (key < best || (key == best && w->simd < e->waves[winner].simd)) {
            best = key;
            winner = i;
            asks = asking;
        }
    }
    if (asks) {
        e->last_vmem_simd = e->waves[winner].simd;
        e->last_vmem = (By){winner, (int32_t)e->waves[winner].row};
    }
    return winner;
}

/* Who is to blame that a port goes to nobody else: the winner, or the MFMA that keeps it out. */
static By port_taken_by(const Engine *e, int32_t winner, int64_t now) {
    const Wave *w = &e->waves[winner];
    const Simd *simd = &e->simds[w->simd];
    for (int32_t i = 0; i < simd->candidate_count; i++)
        if (simd->candidates[i].wave == winner && simd->candidates[i].reason == R_mfma_coissue)
            return simd->candidates[i].by;
    return simd->memory_blocked > now ? simd->memory_blocked_by : (By){winner, (int32_t)w->row};
}

/* A wave's instruction is chosen: it asks its port; 0 if it needs none. */
static int asks(Engine *e, Wave *w) {
    if (w->op->category == C_lds) {
        Pair *port = &e->pairs[w->pair];
        port->asking[port->asking_count++] = w->number;
        return 1;
    }
    if (w->op->category == C_vmem) {
        e->asking[e->asking_count++] = w->number;
        return 1;
    }
    return 0;
}

static int is_vector(const Wave *w) { return w->op->category == C_valu || w->op->category == C_mfma; }

/* Rule vector_turns: VALU and MFMA of one SIMD stay candidates. */
static void keep_to_turn(Engine *e, int64_t now) {
    int64_t holder = turns_holder(e, now / P(slot_clk)), best = P(simds), winner = -1;
    By by = NOBODY;
    if (turns_half_starts(e, now)) {
        for (int64_t number = P(simds) - 1; number >= 0; number--) {
            const Simd *simd = &e->simds[number];
            if (simd->scaled_start >= now && simd->scaled_start < now + P(slot_clk)) by = simd->scaled_by;
        }
    } else {
        for (int64_t number = 0; number < P(simds); number++) {
            const Simd *simd = &e->simds[number];
            const Wave *first = NULL;
            for (int32_t i = 0; i < simd->candidate_count; i++) {
                const Wave *w = &e->waves[simd->candidates[i].wave];
                if (is_vector(w) && (!first || ranks_before(e, w, first))) first = w;
            }
            int64_t turn = (number - holder + P(simds)) % P(simds);
            if (first && turn < best) {
                best = turn;
                winner = number;
                by = (By){first->number, (int32_t)first->row};
            }
        }
    }
    for (int64_t number = 0; number < P(simds); number++) {
        Simd *simd = &e->simds[number];
        if (number == winner) continue;
        int32_t kept = 0;
        for (int32_t i = 0; i < simd->candidate_count; i++) {
            Wave *w = &e->waves[simd->candidates[i].wave];
            if (!is_vector(w))
                simd->candidates[kept++] = simd->candidates[i];
            else
                waits(e, w, R_arbitration, now, now + P(slot_clk), by);
        }
        simd->candidate_count = kept;
    }
}

/* Step 3: a SIMD whose request was denied takes what it left out because of it. */
static void fill_up(Engine *e, Simd *simd, int64_t now) {
    simd->filling = 0;
    for (int32_t i = 0; i < simd->candidate_count; i++) {
        Candidate *candidate = &simd->candidates[i];
        const Wave *w = &e->waves[candidate->wave];
        if (candidate->reason == NO_REASON || w->op->category == C_lds || w->op->category == C_vmem) continue;
        candidate->reason = loses(e, simd, w, now, &candidate->by);
        if (candidate->reason == NO_REASON) simd->chosen[simd->chosen_count++] = w->number;
    }
}

/* Steps 1 to 3: who issues in this slot is in the SIMDs' `chosen`, why the others do not in `candidates`. */
static void arbitrate(Engine *e, int64_t now) {
    int asked = 0, denied = 0;
    if (turns_restrict(e, now)) keep_to_turn(e, now);
    for (int64_t number = 0; number < P(simds); number++) {
        Simd *simd = &e->simds[number];
        simd->chosen_count = 0;
        if (!simd->candidate_count) continue;
        choose(e, simd, now);
        for (int32_t i = 0; i < simd->chosen_count; i++) asked |= asks(e, &e->waves[simd->chosen[i]]);
    }
    if (!asked) return;
    for (int64_t number = 0; number <= P(pairs); number++) {
        Pair *port = number < P(pairs) ? &e->pairs[number] : NULL;
        int32_t winner = port ? lds_winner(e, number, now) : vmem_winner(e, now);
        int32_t count = port ? port->asking_count : e->asking_count;
        const int32_t *asking = port ? port->asking : e->asking;
        for (int32_t i = 0; i < count; i++) {
            if (asking[i] == winner) continue;
            deny(e, &e->waves[asking[i]], port_taken_by(e, winner, now));
            denied = 1;
        }
        if (port)
            port->asking_count = 0;
        else
            e->asking_count = 0;
    }
    if (!denied) return;
    for (int64_t number = 0; number < P(simds); number++)
        if (e->simds[number].filling) fill_up(e, &e->simds[number], now);
}

static void ask_for(Engine *e, Wave *w) {
    Simd *simd = &e->simds[w->simd];
    simd->candidates[simd->candidate_count++] = (Candidate){.wave = w->number, .by = NOBODY};
}

/* -- workgroups that follow (§1) */

/* Turns through dispatch.wave_simds, from `turn` on, to a SIMD with room; -1: there is none. */
static int64_t turn_with_room(const Engine *e, int64_t turn) {
    for (int64_t i = 0; i < P(simds); i++)
        if (e->simds[e->wave_simds[(turn + i) % P(simds)]].held < e->waves_per_simd) return turn + i;
    return -1;
}

/* The lowest slot of a SIMD that no wave on it has. */
static int32_t free_slot(const Engine *e, const Simd *simd) {
    for (int32_t slot = 0;; slot++) {
        int used = 0;
        for (int32_t i = 0; i < simd->wave_count; i++) used |= e->waves[simd->waves[i]].slot == slot;
        if (!used) return slot;
    }
}

static void begin(Engine *e, Wave *w, int64_t simd, int64_t start_clk) {
    w->simd = (int32_t)simd;
    w->pair = (int32_t)e->pair_of[simd];
    w->place = (int32_t)e->barrier_place[simd];
    w->start_clk = w->free_clk = first_slot(e, start_clk);
    if (!w->in.rows) {
        w->finish_clk = w->free_clk;
        return;
    }
    set_chunk(e, w, w->op->first_chunk, w->free_clk, 0);
    set_chunk(e, w, w->op->first_chunk + 1, w->free_clk, 0);
    e->simds[simd].waves[e->simds[simd].wave_count++] = w->number;
}

/* The next workgroup that follows starts, if there is room for all of its waves. */
static int start_next_group(Engine *e, int64_t now) {
    int32_t first = e->following, count = 0;
    int64_t turn = e->latest_turn, *turns = e->turns_to_place;
    int fits = e->held_groups < e->most_groups;
    while (first + count < e->wave_count && e->waves[first + count].group == e->waves[first].group) turns[count++] = 0;
    for (int32_t i = 0; i < count && fits; i++) {
        turn = turns[i] = turn_with_room(e, turn + 1);
        if (turn >= 0)
            e->simds[e->wave_simds[turn % P(simds)]].held++;
        else
            fits = 0;
    }
    if (!fits) {
        for (int32_t i = 0; i < count; i++)
            if (turns[i] > 0) e->simds[e->wave_simds[turns[i] % P(simds)]].held--;
        return 0;
    }
    int64_t after = max64(P(slot_clk), P(dispatch_after_end_clk) + P(dispatch_first_instruction_clk));
    int64_t takes = max64(P(dispatch_workgroup_least_clk), count * P(dispatch_wave_interval_clk));
    e->latest_start_clk = max64(now + after, e->latest_start_clk + P(dispatch_engine_units) * takes);
    e->latest_turn = turns[0] % P(simds);
    e->following += count;
    if (e->groups[e->waves[first].group].live) e->held_groups++;
    for (int32_t i = 0; i < count; i++) {
        Wave *w = &e->waves[first + i];
        Simd *simd = &e->simds[e->wave_simds[turns[i] % P(simds)]];
        w->slot = free_slot(e, simd);
        begin(e, w, simd - e->simds, e->latest_start_clk + i * P(dispatch_wave_interval_clk));
        if (w->in.rows)
            enter(e, w, w->free_clk, 0);
        else
            simd->held--;
    }
    return 1;
}

/* -- a slot */

static int32_t take_due(Engine *e, int32_t count) {
    int64_t bucket = e->wheel_slot & (WHEEL - 1);
    for (int32_t number = e->wheel[bucket]; number >= 0; number = e->waves[number].next) {
        e->waves[number].linked = 0;
        e->due[count++] = number;
    }
    e->wheel[bucket] = -1;
    e->filled[bucket >> 6] &= ~((uint64_t)1 << (bucket & 63));
    return count;
}

static void run_slot(Engine *e, int64_t now) {
    int32_t count = take_due(e, 0), arrived = 0, ended = 0;
    for (int32_t i = 0; i < count; i++) {
        Wave *w = &e->waves[e->due[i]];
        if (w->due_clk > now)
            schedule(e, w, w->due_clk); /* it was too far ahead for the wheel */
        else if (w->state == ST_ARRIVE)
            arrive(e, w, now), arrived = 1;
        else if (w->state == ST_END)
            end_wave(e, w, now), arrived = ended = 1;
        else
            continue;
        e->due[i] = -1;
    }
    if (arrived) count = take_due(e, count); /* whom a barrier lets go at once */
    while (ended && e->following < e->wave_count) ended = start_next_group(e, now);
    int asking = 0;
    for (int32_t i = 0; i < count; i++) {
        if (e->due[i] < 0) continue;
        Wave *w = &e->waves[e->due[i]];
        if (!test(e, w, now)) continue;
        ask_for(e, w);
        asking = 1;
    }
    if (!asking) return;
    arbitrate(e, now);
    for (int64_t number = 0; number < P(simds); number++) {
        Simd *simd = &e->simds[number];
        for (int32_t i = 0; i < simd->candidate_count; i++) {
            const Candidate *candidate = &simd->candidates[i];
            if (candidate->reason != NO_REASON)
                waits(e, &e->waves[candidate->wave], candidate->reason, now, now + P(slot_clk), candidate->by);
        }
        simd->candidate_count = 0;
        for (int32_t i = 0; i < simd->chosen_count; i++) issue(e, &e->waves[simd->chosen[i]], now);
        simd->chosen_count = 0;
    }
}

/* Go on for about `budget` events. */
API int wavesim_run(Engine *e, int64_t budget) {
    for (; budget > 0; budget--) {
        if (e->failed) return STATUS_NO_MEMORY;
        int64_t slot = next_slot(e);
        int64_t clk = slot < 0 ? NEVER : slot * P(slot_clk);
        int64_t event = min64(clk, e->next_head);
        if (event >= NEVER) return STATUS_DONE;
        if (event > P(max_clk)) return STATUS_LIMIT;
        if (e->next_head < clk) {
            serve(e, e->next_head);
            continue;
        }
        e->now = clk;
        e->wheel_slot = slot;
        run_slot(e, clk);
        e->wheel_slot = slot + 1;
        if (e->next_head == clk) serve(e, clk);
    }
    return e->failed ? STATUS_NO_MEMORY : STATUS_RUNNING;
}

/* -- teacher-forced prediction: each instruction's issue clock, every earlier issue being as measured */

static int64_t when_at_most(Engine *e, const Outstanding *items, int64_t count, int64_t allowed) {
    Counter c = {.count = (int32_t)count};
    int32_t row;
    c.items = (Outstanding *)items;
    for (int64_t i = 0; i < count; i++) c.total += items[i].count;
    if (c.total <= allowed) return 0;
    int64_t clk = counter_falls_clk(e, &c, allowed, &row);
    return clk < NEVER && clk > 0 ? clk : 0;
}

/* The counters that the next instruction looks at, and how many may be outstanding. */
static int counted(Engine *e, Wave *w, Counter *counters[2], int64_t allowed[2]) {
    const Op *op = w->op;
    int n = 0;
    if (op->wait_lgkm >= 0)
        counters[n] = &w->lgkm, allowed[n++] = op->wait_lgkm;
    else if (op->lgkm)
        counters[n] = &w->lgkm, allowed[n++] = P(lgkm_max) - op->lgkm;
    if (op->wait_vm >= 0)
        counters[n] = &w->vm, allowed[n++] = op->wait_vm;
    else if (op->vm)
        counters[n] = &w->vm, allowed[n++] = P(vm_max) - op->vm;
    return n;
}

static int all_known(const Counter *c) {
    for (int32_t i = 0; i < c->count; i++)
        if (c->items[i].ret_clk >= NEVER) return 0;
    return 1;
}

/* The end of the conditions whose end is known; counters and accesses not served yet are left out. */
static int64_t known_end(Engine *e, Wave *w, int64_t now) {
    const Op *op = w->op;
    const Simd *simd = &e->simds[w->simd];
    int64_t all, by_branch;
    int32_t row;
    By by = NOBODY;
    fetched_clk(w, op, &all, &by_branch);
    int64_t end = max64(max64(now, all), max64(w->free_clk, gap_clk(e, w, op, &row)));
    if (op->category == C_mfma) {
        end = max64(end, pipe_opens(e, simd, op));
    } else if (op->category == C_valu) {
        end = max64(end, max64(simd->valu_blocked, simd->valu_held));
        if (op->packed) end = max64(end, simd->packed_from);
    } else if (op->category == C_lds) {
        Pair *port = &e->pairs[w->pair];
        int64_t free_clk = lds_free_clk(e, port, now, &by);
        end = max64(end, max64(simd->memory_blocked, port->held_until));
        if (free_clk > now) end = max64(end, free_clk < NEVER ? free_clk : now + P(slot_clk));
    } else if (op->category == C_vmem) {
        end = max64(end, max64(simd->memory_blocked, w->vmem_from_clk));
        end = max64(end, vmem_free_clk(e, op, now, &by));
        if (op->kind == K_vmem_store) end = max64(end, e->store_until);
    }
    Counter *counters[2];
    int64_t allowed[2];
    int n = counted(e, w, counters, allowed);
    for (int i = 0; i < n; i++)
        if (all_known(counters[i]))
            end = max64(end, when_at_most(e, counters[i]->items, counters[i]->count, allowed[i]));
    return end;
}

/* Whether all conditions hold; the attempt is noted. */
static int forced_test(Engine *e, Wave *w, int64_t now) {
    const Op *op = w->op;
    int64_t all, by_branch;
    int32_t row;
    fetched_clk(w, op, &all, &by_branch);
    int there = all <= now && gap_clk(e, w, op, &row) <= now;
    int64_t *attempt = &w->in.attempt_clk[w->row];
    if (*attempt < 0 && (there || op->kind == K_wait || op->kind == K_barrier)) {
        *attempt = now;
        if (op->category == C_vmem) w->vmem_from_clk = vmem_attempted(e, now);
    }
    return there && test(e, w, now);
}

static int is_forced_candidate(Engine *e, Wave *w, int64_t now) {
    Sweep *sweep = e->sweep;
    int64_t *test_clk = &sweep->test_clk[w->number];
    int64_t all, by_branch;
    int32_t row;
    if (w->free_clk > now) {
        *test_clk = first_slot(e, w->free_clk);
        return 0;
    }
    if (w->op->kind == K_barrier) { /* predicted from all arrivals, by the caller */
        fetched_clk(w, w->op, &all, &by_branch);
        if (all <= now) {
            sweep->waves[w->number].arrived_clk[w->row] = now;
            *test_clk = NEVER;
        } else {
            *test_clk = first_slot(e, all);
        }
        return 0;
    }
    if (forced_test(e, w, now)) return 1;
    int64_t until = known_end(e, w, now);
    if (w->in.attempt_clk[w->row] < 0) { /* its attempt is to be noted first: conditions 1 to 3 */
        fetched_clk(w, w->op, &all, &by_branch);
        until = max64(gap_clk(e, w, w->op, &row), all);
    }
    *test_clk = max64(now + P(slot_clk), first_slot(e, until));
    return 0;
}

/* The model would issue the wave's next instruction at `clk`. */
static void predict(Engine *e, Wave *w, int64_t clk) {
    const Measured *measured = &e->sweep->waves[w->number];
    if (w->op->scaled && measured->half[w->row])
        clk += P(scale_load_clk);
    measured->predicted_clk[w->row] = clk;
    if (is_vector(w) && e->turns.applies && e->turns.called)
        for (int64_t asked = clk; asked < measured->seen_clk[w->row]; asked += P(slot_clk))
            turns_mark(e, asked, 1); /* what asks keeps the turns going round */
}

/* It issued although a condition did not hold: when would the last one have ended? */
static void predict_late(Engine *e, Wave *w, int64_t now) {
    Sweep *sweep = e->sweep;
    Counter *counters[2];
    int64_t allowed[2];
    if (w->op->kind == K_barrier) return;
    predict(e, w, max64(now + P(slot_clk), first_slot(e, known_end(e, w, now))));
    int n = counted(e, w, counters, allowed);
    for (int i = 0; i < n; i++) {
        const Counter *c = counters[i];
        if (all_known(c)) continue;
        int64_t first = sweep->counted.count;
        if (first + c->count > sweep->counted.room)
            sweep->counted.items =
                grown(e, sweep->counted.items, &sweep->counted.room, first + c->count, sizeof(Outstanding));
        if (sweep->late.count == sweep->late.room)
            sweep->late.items = grown(e, sweep->late.items, &sweep->late.room, sweep->late.count + 1, sizeof(Late));
        if (e->failed) return;
        memcpy((Outstanding *)sweep->counted.items + first, c->items, (size_t)c->count * sizeof(Outstanding));
        sweep->counted.count += c->count;
        ((Late *)sweep->late.items)[sweep->late.count++] =
            (Late){sweep->waves[w->number].predicted_clk[w->row], allowed[i], first, c->count, w->number,
                   (int32_t)w->row};
    }
}

/* Returns that were not known when an instruction issued too early for them are known now. */
static void settle_late(Engine *e) {
    Sweep *sweep = e->sweep;
    for (int64_t i = 0; i < sweep->late.count; i++) {
        const Late *late = (const Late *)sweep->late.items + i;
        Outstanding *items = (Outstanding *)sweep->counted.items + late->first;
        int64_t *predicted = &sweep->waves[late->wave].predicted_clk[late->row];
        for (int64_t k = 0; k < late->count; k++)
            if (items[k].ret_clk >= NEVER) items[k].ret_clk = e->waves[late->wave].in.done_clk[items[k].row];
        int64_t end = max64(late->other_clk, *predicted);
        *predicted = first_slot(e, max64(end, when_at_most(e, items, late->count, late->allowed)));
    }
}

/* Rule vector_turns: a SIMD that was seen to issue while the one whose turn it is asks has the turn. */
static void see_turn(Engine *e, const uint8_t *asking, int64_t now) {
    Turns *t = &e->turns;
    int64_t issued = -1;
    if (!turns_restrict(e, now)) return;
    for (int32_t i = 0; i < e->wave_count; i++) {
        const Wave *w = &e->waves[i];
        if (!e->sweep->issuing[i] || !is_vector(w)) continue;
        if (issued >= 0 && issued != w->simd) return;
        issued = w->simd;
    }
    int64_t slot = now / P(slot_clk), turn_slots = P(turn_clk) / P(slot_clk);
    int64_t holder = turns_holder(e, slot);
    if (issued < 0 || holder == issued || !asking[holder] || !t->has_first) return;
    int64_t into = (slot - t->first + turn_slots / 2) % turn_slots;
    if (into < 0) into += turn_slots;
    if ((issued + 1) % P(simds) == holder) {
        t->first += into + 1; /* the turn before lasts on */
    } else if (issued == (holder + 1) % P(simds)) {
        t->first -= turn_slots - into; /* the next turn has begun */
    } else {
        t->turn = issued;
        t->first = slot + turn_slots / 2;
    }
}

/* Predict what the model would issue in this slot, all that could issue competing (§11). */
static void forced_grant(Engine *e, int64_t now) {
    Sweep *sweep = e->sweep;
    int opened = 0;
    for (int32_t i = 0; i < e->wave_count; i++) {
        Wave *w = &e->waves[i];
        sweep->waiting[i] = sweep->left[i] && sweep->test_clk[i] <= now && sweep->waves[i].predicted_clk[w->row] < 0;
    }
    for (int32_t i = 0; i < e->wave_count; i++) {
        sweep->open[i] = sweep->waiting[i] && is_forced_candidate(e, &e->waves[i], now);
        opened |= sweep->open[i];
    }
    if (!opened) return;
    for (int64_t number = 0; number < P(simds); number++) e->simds[number].candidate_count = 0;
    for (int32_t i = 0; i < e->wave_count; i++) {
        Wave *w = &e->waves[i];
        if (!sweep->left[i]) continue;
        int asks_too = sweep->open[i];
        if (!asks_too && (sweep->waiting[i] || w->op->kind == K_barrier)) {
            asks_too = sweep->issuing[i];
        } else if (!asks_too) { /* granted before but not seen to issue yet, or issuing now */
            int ready = sweep->waves[i].predicted_clk[w->row] >= 0 && forced_test(e, w, now);
            asks_too = ready || sweep->issuing[i];
        }
        if (asks_too) ask_for(e, w);
    }
    uint8_t *asking = (uint8_t *)e->due; /* by SIMD; the list of due waves is not used here */
    for (int64_t number = 0; number < P(simds); number++) {
        const Simd *simd = &e->simds[number];
        asking[number] = 0;
        for (int32_t i = 0; i < simd->candidate_count; i++)
            asking[number] |= (uint8_t)is_vector(&e->waves[simd->candidates[i].wave]);
    }
    int32_t last_vmem_simd = e->last_vmem_simd;
    By last_vmem = e->last_vmem;
    for (int64_t pair = 0; pair < P(pairs); pair++) e->pairs[pair].simd_before = e->pairs[pair].last_simd;
    arbitrate(e, now);
    e->last_vmem_simd = last_vmem_simd;
    e->last_vmem = last_vmem;
    for (int64_t pair = 0; pair < P(pairs); pair++) e->pairs[pair].last_simd = e->pairs[pair].simd_before;
    see_turn(e, asking, now);
    for (int32_t i = 0; i < e->wave_count; i++) {
        if (!sweep->open[i]) continue;
        Wave *w = &e->waves[i];
        const Simd *simd = &e->simds[w->simd];
        int granted = 0;
        for (int32_t k = 0; k < simd->chosen_count; k++) granted |= simd->chosen[k] == i;
        if (granted)
            predict(e, w, now);
        else
            sweep->test_clk[i] = now + P(slot_clk);
    }
}

/* What was seen to issue does. */
static void forced_issue(Engine *e, Wave *w, int64_t now) {
    if (w->op->category == C_lds) {
        e->pairs[w->pair].last_simd = w->simd;
    } else if (w->op->category == C_vmem) {
        e->last_vmem_simd = w->simd;
        e->last_vmem = (By){w->number, (int32_t)w->row};
    }
    issue(e, w, now);
    e->sweep->test_clk[w->number] = max64(now + P(slot_clk), first_slot(e, w->free_clk));
    if (w->finish_clk >= 0) {
        e->sweep->left[w->number] = 0;
        e->sweep->left_count--;
    }
}

/* Begin a teacher-forced sweep in place of a run: an engine serves one or the other. */
API int wavesim_force(Engine *e, const Measured *waves) {
    Sweep *sweep = calloc(1, sizeof(Sweep));
    size_t count = (size_t)e->wave_count + 1;
    if (!sweep) return STATUS_NO_MEMORY;
    e->sweep = sweep;
    e->forced = 1;
    sweep->waves = malloc(count * sizeof(Measured));
    sweep->test_clk = calloc(count, sizeof(int64_t));
    sweep->left = calloc(4 * count, 1);
    if (!sweep->waves || !sweep->test_clk || !sweep->left) return STATUS_NO_MEMORY;
    sweep->waiting = sweep->left + count;
    sweep->open = sweep->left + 2 * count;
    sweep->issuing = sweep->left + 3 * count;
    for (int32_t i = 0; i < e->wave_count; i++) {
        sweep->waves[i] = waves[i];
        sweep->test_clk[i] = e->waves[i].free_clk;
        sweep->left[i] = e->waves[i].in.rows > 0;
        sweep->left_count += sweep->left[i];
        e->waves[i].in.spin_count = 0; /* what was measured has every pass as rows of its own */
    }
    return STATUS_RUNNING;
}

/* Every slot before `until_clk` in which something issues or may, for about `budget` of them. */
API int wavesim_run_forced(Engine *e, int64_t until_clk, int64_t budget) {
    Sweep *sweep = e->sweep;
    for (; budget > 0; budget--) {
        if (e->failed) return STATUS_NO_MEMORY;
        int64_t now = NEVER;
        for (int32_t i = 0; i < e->wave_count; i++) {
            if (!sweep->left[i]) continue;
            int64_t row = e->waves[i].row, seen = sweep->waves[i].seen_clk[row];
            int predicted = sweep->waves[i].predicted_clk[row] >= 0;
            now = min64(now, predicted ? seen : min64(seen, sweep->test_clk[i]));
        }
        if (!sweep->left_count || now >= until_clk) {
            while (e->next_head < NEVER) serve(e, e->next_head);
            settle_late(e);
            return e->failed ? STATUS_NO_MEMORY : STATUS_DONE;
        }
        while (e->next_head < now) serve(e, e->next_head);
        for (int32_t i = 0; i < e->wave_count; i++)
            sweep->issuing[i] = sweep->left[i] && sweep->waves[i].seen_clk[e->waves[i].row] == now;
        forced_grant(e, now);
        for (int32_t i = 0; i < e->wave_count; i++)
            if (sweep->issuing[i] && sweep->waves[i].predicted_clk[e->waves[i].row] < 0)
                predict_late(e, &e->waves[i], now);
        for (int32_t i = 0; i < e->wave_count; i++)
            if (sweep->issuing[i]) forced_issue(e, &e->waves[i], now);
    }
    return e->failed ? STATUS_NO_MEMORY : STATUS_RUNNING;
}

/* -- beginning and end */

API void wavesim_free(Engine *e) {
    if (!e) return;
    for (int32_t i = 0; e->waves && i < e->wave_count; i++) {
        Wave *w = &e->waves[i];
        free(w->stalls.items);
        free(w->lgkm.items);
        free(w->vm.items);
        free(w->sgprs);
        free(w->chunks);
    }
    for (int64_t i = 0; e->simds && i < P(simds); i++) {
        free(e->simds[i].waves);
        free(e->simds[i].candidates);
        free(e->simds[i].chosen);
    }
    for (int64_t i = 0; e->pairs && i < P(pairs); i++) {
        free(e->pairs[i].queue.items);
        free(e->pairs[i].asking);
    }
    for (int64_t i = 0; e->uses && i < P(simds) + P(pairs) + 2; i++) free(e->uses[i].items);
    if (e->sweep) {
        free(e->sweep->waves);
        free(e->sweep->test_clk);
        free(e->sweep->left);
        free(e->sweep->late.items);
        free(e->sweep->counted.items);
    }
    free(e->sweep);
    free(e->ops);
    free(e->lines);
    free(e->waves);
    free(e->simds);
    free(e->pairs);
    free(e->groups);
    free(e->turns.ring);
    free(e->due);
    free(e->from_memory.items);
    free(e->accepted);
    free(e->returned);
    free(e->service);
    free(e->vmem_by);
    free(e->moved);
    free(e->store_bytes);
    free(e->asking);
    free(e->turns_to_place);
    free(e->uses);
    free(e->sorted);
    free(e);
}

static int build_simds(Engine *e, size_t room) {
    for (int64_t i = 0; i < P(simds); i++) {
        Simd *simd = &e->simds[i];
        simd->scaled_start = simd->vmem_clk = LONG_AGO;
        simd->waves = malloc(room * sizeof(int32_t));
        simd->candidates = malloc(room * sizeof(Candidate));
        simd->chosen = malloc(room * sizeof(int32_t));
        if (!simd->waves || !simd->candidates || !simd->chosen) return 0;
    }
    for (int64_t i = 0; i < P(pairs); i++) {
        Pair *port = &e->pairs[i];
        port->last_simd = -1;
        port->asking = malloc(room * sizeof(int32_t));
        if (!port->asking) return 0;
    }
    return 1;
}

static int build_wave(Engine *e, const Input *input, int32_t number) {
    Wave *w = &e->waves[number];
    const Last never = {LONG_AGO, -1};
    w->in = input->waves[number];
    w->number = number;
    w->group = (int32_t)w->in.workgroup;
    w->slot = (int32_t)w->in.slot;
    w->start_clk = w->finish_clk = w->arrival_clk = w->release_clk = -1;
    w->reason = NO_REASON;
    w->polling = -1;
    w->due_clk = NEVER;
    w->last_valu = w->last_valu_sgpr = w->last_salu = never;
    w->last_return_clk = w->vmem_from_clk = LONG_AGO;
    w->state = ST_OVER;
    if (w->in.rows) w->op = &e->ops[w->in.code[0]];
    w->sgprs = malloc(((size_t)input->sgpr_count + 1) * sizeof(Last));
    if (!w->sgprs) return 0;
    for (int64_t i = 0; i < input->sgpr_count; i++) w->sgprs[i] = never;
    Group *group = &e->groups[w->group];
    if (w->in.rows) {
        int64_t line = e->line_count ? find_line(e, w->op->first_chunk / e->chunks_per_line, 0) : -1;
        if (line >= 0) use_line(e, line, 0);
        group->live++;
    }
    if (w->in.start_clk == FOLLOWS) return 1;
    begin(e, w, w->in.simd, w->in.start_clk);
    if (!number || e->waves[number - 1].group != w->group) {
        e->latest_start_clk = w->in.start_clk;
        for (int64_t turn = 0; turn < P(simds); turn++)
            if (e->wave_simds[turn] == w->simd) e->latest_turn = turn;
    }
    e->following = number + 1;
    if (w->in.rows) {
        e->simds[w->simd].held++;
        e->held_groups += !group->held;
        group->held = 1;
    }
    return 1;
}

/* NULL if there is not enough memory. The arrays of `input` are used until the engine is freed. */
API Engine *wavesim_new(const Input *input) {
    Engine *e = calloc(1, sizeof(Engine));
    if (!e) return NULL;
    memcpy(e->p, input->parameters, sizeof(e->p));
    size_t room = (size_t)input->wave_count + 1;
    e->wave_count = (int32_t)input->wave_count;
    e->write_offsets = input->write_offsets;
    e->writes = input->writes;
    e->pair_of = input->pair_of;
    e->barrier_place = input->barrier_place;
    e->wave_simds = input->wave_simds;
    e->waves_per_simd = input->waves_per_simd;
    e->most_groups = input->workgroups;
    e->latest_turn = -1;
    e->read_offsets = input->read_offsets;
    e->reads = input->reads;
    e->latency_by_order = input->latency_by_order;
    e->by_order_count = input->by_order_count;
    e->head_by_order = input->head_by_order;
    e->head_by_order_count = input->head_by_order_count;
    e->ops = malloc(((size_t)input->op_count + 1) * sizeof(Op));
    e->lines = malloc(((size_t)input->line_count + 1) * sizeof(Line));
    e->waves = calloc(room, sizeof(Wave));
    e->simds = calloc((size_t)P(simds) + 1, sizeof(Simd));
    e->pairs = calloc((size_t)P(pairs) + 1, sizeof(Pair));
    e->groups = calloc((size_t)input->workgroup_count + 1, sizeof(Group));
    e->uses = calloc((size_t)(P(simds) + P(pairs) + 2), sizeof(List));
    e->due = malloc((2 * room + (size_t)P(simds)) * sizeof(int32_t));
    e->asking = malloc(room * sizeof(int32_t));
    e->turns_to_place = malloc(room * sizeof(int64_t));
    if (!e->ops || !e->lines || !e->waves || !e->simds || !e->pairs || !e->groups || !e->uses || !e->due || !e->asking || !e->turns_to_place ||
        !build_simds(e, room)) {
        wavesim_free(e);
        return NULL;
    }
    memcpy(e->ops, input->ops, (size_t)input->op_count * sizeof(Op));
    e->line_count = input->line_count;
    e->page_offset_lines = input->page_offset_lines;
    e->chunks_per_line = max64(1, P(icache_line_bytes) / P(chunk_bytes));
    e->lines_per_page = max64(1, P(page_bytes) / P(icache_line_bytes));
    e->prefetch_lines = P(prefetch_bytes) / P(icache_line_bytes);
    e->held_lines = max64(1, P(icache_bytes) / P(icache_units) / P(icache_line_bytes));
    e->line_clk = -1;
    for (int64_t i = 0; i < e->line_count; i++) e->lines[i] = (Line){input->lines[i], 0, NEVER, 0};
    for (int i = 0; i < WHEEL; i++) e->wheel[i] = -1;
    e->next_head = NEVER;
    e->last_winner = e->last_vmem_simd = -1;
    e->last_vmem = NOBODY;
    e->last_vmem_clk = e->wake_clk = LONG_AGO;
    e->turns.pause_slots = e->turns.pause = P(turns_idle_clk) / P(slot_clk);
    e->turns.restricted_slots = P(turns_clk) / P(slot_clk);
    e->turns.applies = e->turns.restricted_slots > 0;
    e->turns.called = 1;
    for (int64_t i = 0; i < input->workgroup_count; i++) e->groups[i].end_clk = -1;
    for (int32_t i = 0; i < e->wave_count; i++) {
        if (!build_wave(e, input, i)) {
            wavesim_free(e);
            return NULL;
        }
    }
    return e;
}

/* Let every wave enter its first instruction. */
API void wavesim_start(Engine *e) {
    for (int32_t i = 0; i < e->wave_count; i++)
        if (e->waves[i].in.rows && e->waves[i].start_clk >= 0) enter(e, &e->waves[i], e->waves[i].free_clk, 0);
}

/* Rows that the waves have come to. */
API int64_t wavesim_rows_done(const Engine *e) {
    int64_t rows = 0;
    for (int32_t i = 0; i < e->wave_count; i++) rows += e->waves[i].row;
    return rows;
}

/* The run is over: ends and last clocks by wave, stalls of stuck waves closed; the run's last clock. */
API int64_t wavesim_finish(Engine *e, int64_t *finish_clk, uint8_t *state) {
    int64_t total = 0;
    for (int32_t i = 0; i < e->wave_count; i++) {
        const Wave *w = &e->waves[i];
        total = max64(total, w->finish_clk);
        if (w->finish_clk >= 0) continue;
        total = max64(total, w->arrival_clk); /* time ends when the last wave has come to where it is stuck */
        for (int64_t row = 0; row < w->in.rows; row++)
            total = max64(total, max64(w->in.end_clk[row], w->in.attempt_clk[row]));
    }
    for (int32_t i = 0; i < e->wave_count; i++) {
        Wave *w = &e->waves[i];
        if (w->finish_clk < 0) end_stall(e, w, total);
        finish_clk[i] = w->finish_clk;
        state[i] = w->state == ST_STOPPED;
    }
    return total;
}

/* Where each wave was, and since when; -1: it never started. */
API void wavesim_places(const Engine *e, int64_t *simd, int64_t *slot, int64_t *start_clk) {
    for (int32_t i = 0; i < e->wave_count; i++) {
        const Wave *w = &e->waves[i];
        simd[i] = w->start_clk < 0 ? w->in.simd : w->simd;
        slot[i] = w->slot;
        start_clk[i] = w->start_clk;
    }
}

/* Where each wave's stall records begin among all of them, one wave's after the other's. */
API void wavesim_stall_offsets(const Engine *e, int64_t *offsets) {
    offsets[0] = 0;
    for (int32_t i = 0; i < e->wave_count; i++) offsets[i + 1] = offsets[i] + e->waves[i].stalls.count;
}

API void wavesim_stalls(const Engine *e, Stall *to) {
    for (int32_t i = 0; i < e->wave_count; i++) {
        const List *list = &e->waves[i].stalls;
        if (list->count) memcpy(to, list->items, (size_t)list->count * sizeof(Stall));
        to += list->count;
    }
}

API int64_t wavesim_use_count(const Engine *e, int64_t resource) { return e->uses[resource].count; }

API void wavesim_uses(const Engine *e, int64_t resource, Use *to) {
    const List *list = &e->uses[resource];
    if (list->count) memcpy(to, list->items, (size_t)list->count * sizeof(Use));
}
