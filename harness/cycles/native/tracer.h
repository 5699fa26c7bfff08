/* What an emulator tells as it runs -> a trace of a model's layers, or of a program's regions, and of nothing else.
 *
 * A layer begins where control enters its function, and ends where it returns to the instruction after the call. Regions
 * are tracer_regions.h's. What exceptions execute meanwhile is left out: a handler begins at an address of the vector
 * table, and ends with a return of its own, none of a function that it called.
 */
#ifndef TINYHIL_TRACER_H
#define TINYHIL_TRACER_H

#include "tracer_regions.h"

#define TRACER_MOST_NESTED 16

typedef struct {
    trace_writer writer;
    trace_node beginning, stop;
    trace_node *leave; /* by layer */
    trace_node *enter;
    uint32_t *entries; /* of layers, in the order of execution */
    uint32_t layer_count;
    uint32_t *handlers;
    uint32_t handler_count;
    uint32_t layer;    /* the next, or the one that runs */
    uint32_t resume;   /* where the layer returns to */
    tracer_regions regions;     /* where a program is traced: there are no layers then */
    char paths[4096];           /* file for its paths: the trace's name, and ".paths" */
    const tracer_block *last;   /* that ran */
    const tracer_block *caller; /* the last that was not an exception's */
    int recording;
    int finished;
    int nested;        /* handlers that run */
    uint32_t calls[TRACER_MOST_NESTED]; /* functions that each of them is in */
} tracer;

static inline int tracer_contains(const uint32_t *list, uint32_t count, uint32_t address)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == address) {
            return 1;
        }
    }
    return 0;
}

/* How a block with this last instruction ends. `second` is the second halfword of one that has two. */
static inline uint8_t tracer_ending(uint32_t first, uint32_t second, int is_wide)
{
    if (!is_wide) {
        if ((first & 0xFF87U) == 0x4780U) { /* BLX register */
            return TRACER_CALLS;
        }
        /* BX, POP {..., pc}, MOV pc, register */
        if ((first & 0xFF87U) == 0x4700U || (first & 0xFF00U) == 0xBD00U || (first & 0xFF87U) == 0x4687U) {
            return TRACER_RETURNS;
        }
        return 0;
    }
    if ((first & 0xF800U) == 0xF000U && (second & 0xD000U) == 0xD000U) { /* BL */
        return TRACER_CALLS;
    }
    if ((first & 0xFE50U) == 0xE810U && (second & 0x8000U) != 0U) { /* LDM with pc */
        return TRACER_RETURNS;
    }
    if ((first & 0xFFF0U) == 0xF850U && (second & 0xF000U) == 0xF000U) { /* LDR pc */
        return TRACER_RETURNS;
    }
    return 0;
}

static inline void tracer_init_block(tracer *t, tracer_block *block, uint32_t start)
{
    trace_init_node(&block->node, TRACE_BLOCK, start);
    block->ends = 0;
    block->points = tracer_points_at(&t->regions, start);
    block->is_layer = (uint8_t)tracer_contains(t->entries, t->layer_count, start);
    block->is_handler = (uint8_t)tracer_contains(t->handlers, t->handler_count, start);
}

static inline void tracer_add_instruction(tracer_block *block, uint32_t size)
{
    trace_node *node = &block->node;
    if (size == 4U) {
        node->wide[node->count / 8U] |= (uint8_t)(1U << (node->count % 8U));
    }
    node->count++;
    node->size += size;
}

static inline void tracer_finish(tracer *t)
{
    t->finished = 1;
    t->recording = 0;
    int failed = trace_close(&t->writer, &t->stop) != 0;
    if (t->regions.count != 0U && tracer_write_paths(&t->regions, t->paths) != 0) {
        failed = 1;
    }
    if (failed) {
        fprintf(stderr, "tinyhil: the trace cannot be written\n");
    }
}

/* Whether what runs now is an exception's. */
static inline int tracer_in_handler(tracer *t, const tracer_block *block)
{
    const tracer_block *last = t->last;
    int follows = last->node.start + last->node.size == block->node.start;
    t->last = block;
    if (t->nested > 0) {
        uint32_t *calls = &t->calls[t->nested - 1];
        if ((last->ends & TRACER_CALLS) != 0 && !follows) {
            (*calls)++;
        } else if ((last->ends & TRACER_RETURNS) != 0) {
            if (*calls > 0U) {
                (*calls)--;
            } else {
                t->nested--;
            }
        }
    }
    if (block->is_handler && t->nested < TRACER_MOST_NESTED) {
        t->calls[t->nested++] = 0;
    }
    return t->nested > 0;
}

/* A block begins. */
static inline void tracer_on_block(tracer *t, tracer_block *block)
{
    if (t->finished || (t->handler_count != 0U && tracer_in_handler(t, block))) {
        return;
    }
    if (t->regions.count != 0U) {
        tracer_step step = tracer_regions_step(&t->regions, &t->writer, t->caller, block);
        t->caller = block;
        t->recording = step == TRACER_INSIDE;
        if (step == TRACER_INSIDE) {
            trace_event(&t->writer, &block->node);
        } else if (step == TRACER_OVER) {
            tracer_finish(t);
        }
        return;
    }
    if (t->recording) {
        if (block->node.start != t->resume) {
            trace_event(&t->writer, &block->node);
            return;
        }
        t->recording = 0;
        t->leave[t->layer].start = t->resume;
        trace_event(&t->writer, &t->leave[t->layer]);
        if (++t->layer == t->layer_count) {
            tracer_finish(t);
            return;
        }
    } else if (block->is_layer && block->node.start == t->entries[t->layer]) {
        t->recording = 1;
        t->resume = t->caller->node.start + t->caller->node.size;
        trace_event(&t->writer, &t->enter[t->layer]);
        trace_event(&t->writer, &block->node);
        return;
    }
    t->caller = block;
}

static inline void tracer_on_access(tracer *t, trace_node *site, uint32_t address, uint32_t size)
{
    if (t->recording && t->nested == 0) {
        trace_access(&t->writer, site, address, size);
    }
}

/* `list`: "layer ADDRESS" and "handler ADDRESS", one a line, in hexadecimal; of a program "call", "begin", "end" or
 * "step", an address and a region, in the order in which they count where several have one address. */
static inline int tracer_open(tracer *t, const char *list, const char *trace)
{
    static tracer_block nothing;
    memset(t, 0, sizeof *t);
    t->last = t->caller = &nothing;
    FILE *file = fopen(list, "r");
    if (file == NULL) {
        return -1;
    }
    char what[16];
    unsigned address, region;
    int bad = 0;
    while (!bad && fscanf(file, "%15s %x", what, &address) == 2) {
        int kind = tracer_point_kind(what);
        if (kind >= 0) {
            bad = fscanf(file, "%x", &region) != 1 || tracer_add_point(&t->regions, (uint8_t)kind, address, region) != 0;
            continue;
        }
        uint32_t **where = strcmp(what, "layer") == 0 ? &t->entries : &t->handlers;
        uint32_t *count = strcmp(what, "layer") == 0 ? &t->layer_count : &t->handler_count;
        uint32_t *grown = realloc(*where, (*count + 1U) * sizeof *grown);
        if (grown == NULL) {
            bad = 1;
        } else {
            *where = grown;
            grown[(*count)++] = address;
        }
    }
    fclose(file);
    t->enter = calloc(t->layer_count + 1U, sizeof *t->enter);
    t->leave = calloc(t->layer_count + 1U, sizeof *t->leave);
    if (bad || (t->layer_count == 0U) == (t->regions.count == 0U) || t->enter == NULL || t->leave == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < t->layer_count; i++) {
        trace_init_node(&t->enter[i], TRACE_ENTER, t->entries[i]);
        trace_init_node(&t->leave[i], TRACE_LEAVE, 0);
    }
    if (snprintf(t->paths, sizeof t->paths, "%s.paths", trace) >= (int)sizeof t->paths) {
        return -1;
    }
    return trace_open(&t->writer, trace, &t->beginning);
}

#endif
