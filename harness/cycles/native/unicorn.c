/* Unicorn's hooks: tell the tracer of every block and every load and store. Built on demand, see harness/cycles/direct.py. */
#include "tracer.h"

#define EXPORT __attribute__((visibility("default")))
#define SLOTS (1U << 16)
#define UC_MEM_WRITE 17
#define UC_ARM_REG_XPSR 120
#define XPSR_IT 0x0600FC00U

typedef struct {
    uint64_t key; /* 0 where there is none */
    void *value;
} slot;

typedef int (*read_memory)(void *engine, uint64_t address, void *bytes, size_t size);
typedef int (*read_register)(void *engine, int number, void *value);
typedef int (*write_register)(void *engine, int number, const void *value);

/* an instruction that accesses memory */
typedef struct {
    trace_node node;
    int conditional; /* in an IT block */
} site;

typedef struct {
    tracer tracer;
    read_memory read;
    read_register get;
    write_register set;
    uint32_t pc;
    uint32_t cut, end; /* in the block that runs: where its next part begins, and its end; 0 where it has no parts */
    int failed;
    slot slots[SLOTS];
} watcher;

EXPORT watcher *tinyhil_watch(const char *list, const char *trace, read_memory read, read_register get,
                              write_register set);
EXPORT int tinyhil_watched(const watcher *w);
EXPORT int tinyhil_unwatch(watcher *w);
EXPORT void tinyhil_watch_block(void *engine, uint64_t address, uint32_t size, watcher *w);
EXPORT void tinyhil_watch_instruction(void *engine, uint64_t address, uint32_t size, watcher *w);
EXPORT void tinyhil_watch_access(void *engine, int type, uint64_t address, int size, int64_t value, watcher *w);

watcher *tinyhil_watch(const char *list, const char *trace, read_memory read, read_register get, write_register set)
{
    watcher *w = calloc(1, sizeof *w);
    if (w != NULL && tracer_open(&w->tracer, list, trace) != 0) {
        free(w);
        return NULL;
    }
    if (w != NULL) {
        w->read = read;
        w->get = get;
        w->set = set;
    }
    return w;
}

/* Whether the trace is whole. */
int tinyhil_unwatch(watcher *w)
{
    int whole = w->tracer.finished && !w->failed;
    for (uint32_t i = 0; i < SLOTS; i++) {
        free(w->slots[i].value);
    }
    free(w);
    return whole;
}

/* Where a thing of this key is or belongs. */
static slot *find_slot(watcher *w, uint64_t key)
{
    uint64_t hash = key * 0x9E3779B97F4A7C15ULL;
    for (uint32_t i = 0, at = (uint32_t)(hash >> 48) % SLOTS; i < SLOTS; i++, at = (at + 1U) % SLOTS) {
        if (w->slots[at].key == key || w->slots[at].key == 0U) {
            return &w->slots[at];
        }
    }
    w->failed = 1;
    return NULL;
}

static tracer_block *make_block(watcher *w, void *engine, uint32_t address, uint32_t size)
{
    uint8_t bytes[4U * TRACE_MOST_INSTRUCTIONS];
    if (size < 2U || size > sizeof bytes || w->read(engine, address, bytes, size) != 0) {
        return NULL;
    }
    tracer_block *block = malloc(sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    tracer_init_block(&w->tracer, block, address);
    for (uint32_t at = 0; at + 2U <= size && block->node.count < TRACE_MOST_INSTRUCTIONS;) {
        if (at != 0U && tracer_points_at(&w->tracer.regions, address + at) != NULL) {
            break;
        }
        int is_wide = bytes[at + 1U] >= 0xE8U && at + 4U <= size;
        uint32_t second = is_wide ? bytes[at + 2U] + 256U * bytes[at + 3U] : 0U;
        block->ends = tracer_ending(bytes[at] + 256U * bytes[at + 1U], second, is_wide);
        tracer_add_instruction(block, is_wide ? 4U : 2U);
        at += is_wide ? 4U : 2U;
    }
    return block;
}

void tinyhil_watch_block(void *engine, uint64_t address, uint32_t size, watcher *w)
{
    slot *s = find_slot(w, 1ULL << 63 | (uint64_t)size << 32 | address);
    if (s == NULL) {
        return;
    }
    if (s->value == NULL) {
        s->value = make_block(w, engine, (uint32_t)address, size);
        if (s->value == NULL) {
            w->failed = 1;
            return;
        }
        s->key = 1ULL << 63 | (uint64_t)size << 32 | address;
    }
    const trace_node *node = &((tracer_block *)s->value)->node;
    w->end = (uint32_t)address + size;
    w->cut = node->size < size ? node->start + node->size : 0U;
    tracer_on_block(&w->tracer, s->value);
}

void tinyhil_watch_instruction(void *engine, uint64_t address, uint32_t size, watcher *w)
{
    (void)size;
    w->pc = (uint32_t)address;
    if (w->cut != 0U && w->cut == w->pc) {
        tinyhil_watch_block(engine, address, w->end - w->cut, w);
    }
}

/* Whether there is nothing more to trace. */
int tinyhil_watched(const watcher *w)
{
    return w->tracer.finished || w->failed;
}

/* Unicorn leaves the state of an IT block behind where it calls a hook within one, and the first instruction of the next
 * block, when that is new, then depends on it. The block that runs does not need it. */
static void leave_it_block(watcher *w, void *engine)
{
    uint32_t xpsr = 0;
    if (w->get(engine, UC_ARM_REG_XPSR, &xpsr) == 0) {
        xpsr &= ~XPSR_IT;
        w->failed |= w->set(engine, UC_ARM_REG_XPSR, &xpsr) != 0;
    }
}

static site *make_site(watcher *w, void *engine, uint8_t kind)
{
    uint32_t xpsr = 0;
    site *found = malloc(sizeof *found);
    if (found != NULL) {
        trace_init_node(&found->node, kind, w->pc);
        found->conditional = w->get(engine, UC_ARM_REG_XPSR, &xpsr) == 0 && (xpsr & XPSR_IT) != 0U;
    }
    return found;
}

void tinyhil_watch_access(void *engine, int type, uint64_t address, int size, int64_t value, watcher *w)
{
    (void)value;
    uint8_t kind = type == UC_MEM_WRITE ? TRACE_STORE : TRACE_LOAD;
    slot *s = find_slot(w, 1ULL << 62 | (uint64_t)kind << 32 | w->pc);
    if (s == NULL) {
        return;
    }
    if (s->value == NULL) {
        s->value = make_site(w, engine, kind);
        if (s->value == NULL) {
            w->failed = 1;
            return;
        }
        s->key = 1ULL << 62 | (uint64_t)kind << 32 | w->pc;
    }
    site *here = s->value;
    if (here->conditional) {
        leave_it_block(w, engine);
    }
    if (w->tracer.recording) {
        tracer_on_access(&w->tracer, &here->node, (uint32_t)address, (uint32_t)size);
    }
}
