/* A trace -> what each layer executed, and what it missed in caches. Built on demand, see replay.py. */
#include "table.h"
#include "trace.h"

#define EXPORT __attribute__((visibility("default")))

enum { ROW_LAYER = 0, ROW_COUNT = 1, ROW_TRANSFER = 2, ROW_LOAD = 3, ROW_STORE = 4, ROW_FETCH = 5, ROW_SEQUENTIAL = 6,
       ROW_NEXT_LOAD = 7 };

/* `size` bytes from `origin` belong to number `to`: a part of the image, or a memory. */
typedef struct {
    uint32_t origin, size, to;
} replay_span;

typedef struct {
    uint32_t sets, ways, line_log2, in_turn;
    uint32_t sectors; /* of a line, filled one by one; 1 where a line is filled as a whole */
} replay_cache;

/* Numbers of caches; -1 where nothing is missed. */
typedef struct {
    int32_t fetch, data;
    uint32_t write_allocate;
} replay_memory;

typedef struct {
    table_row *rows;
    uint64_t row_count;
    int32_t damaged;
} replay_result;

EXPORT int tinyhil_count(const uint8_t *trace, uint64_t size, const replay_span *spans, uint32_t span_count,
                         uint32_t elsewhere, replay_result *result);
EXPORT int tinyhil_simulate(const uint8_t *trace, uint64_t size, const replay_span *spans, uint32_t span_count,
                            uint32_t elsewhere, const replay_memory *memories, const replay_cache *caches,
                            uint32_t cache_count, replay_result *result);
EXPORT void tinyhil_free(replay_result *result);

typedef struct {
    uint32_t tag, instruction;
} block_line;

/* What is known of a node beside what the trace keeps. */
typedef struct {
    uint64_t runs;       /* block: in this layer */
    uint32_t row, to, row_layer; /* block: the transfer counted last */
    uint32_t span_start, span_size, span_to; /* site: where it accessed last */
    uint32_t line_count; /* block: lines that it lies in */
    block_line *lines;
    uint32_t memory;     /* block */
    uint32_t layer;      /* ENTER: its number + 1 */
} extra;

typedef struct {
    trace_reader reader;
    table table;
    extra *extras;
    uint32_t extra_count;
    const replay_span *spans;
    uint32_t span_count, elsewhere;
    uint32_t layers;  /* that were entered */
    uint32_t *ran;    /* blocks that ran in this layer */
    uint32_t ran_count, ran_room;
} replay;

static void find_span(const replay *r, uint32_t address, extra *e)
{
    uint32_t low = 0, high = UINT32_MAX;
    for (uint32_t i = 0; i < r->span_count; i++) {
        const replay_span *span = &r->spans[i];
        if (address - span->origin < span->size) {
            e->span_start = span->origin;
            e->span_size = span->size;
            e->span_to = span->to;
            return;
        }
        if (span->origin > address && span->origin < high) {
            high = span->origin;
        } else if (span->origin <= address && span->origin + span->size > low) {
            low = span->origin + span->size;
        }
    }
    e->span_start = low;
    e->span_size = high - low;
    e->span_to = r->elsewhere;
}

static inline uint32_t span_of(const replay *r, uint32_t address, extra *e)
{
    if (address - e->span_start >= e->span_size) {
        find_span(r, address, e);
    }
    return e->span_to;
}

static extra *extra_of(replay *r, uint32_t number)
{
    if (number >= r->extra_count) {
        uint32_t count = number * 2U + 256U;
        extra *grown = realloc(r->extras, count * sizeof *grown);
        if (grown == NULL) {
            r->table.failed = 1;
            return NULL;
        }
        memset(grown + r->extra_count, 0, (count - r->extra_count) * sizeof *grown);
        for (uint32_t i = r->extra_count; i < count; i++) {
            grown[i].row_layer = UINT32_MAX;
        }
        r->extras = grown;
        r->extra_count = count;
    }
    return &r->extras[number];
}

static inline uint32_t width(const trace_node *block, uint32_t i)
{
    return ((uint32_t)(block->wide[i / 8U] >> (i % 8U)) & 1U) != 0U ? 4U : 2U;
}

static uint32_t last_instruction(const trace_node *block)
{
    return block->start + block->size - width(block, block->count - 1U);
}

/* A layer begins, or goes on. */
static void enter_layer(replay *r, extra *e)
{
    if (e->layer == 0U) {
        e->layer = ++r->layers;
    }
    r->table.layer = e->layer - 1U;
}

static int begin(replay *r, const uint8_t *trace, uint64_t size, const replay_span *spans, uint32_t span_count,
                 uint32_t elsewhere)
{
    memset(r, 0, sizeof *r);
    r->spans = spans;
    r->span_count = span_count;
    r->elsewhere = elsewhere;
    r->table.layer = UINT32_MAX;
    return trace_start(&r->reader, trace, (size_t)size);
}

static int finish(replay *r, replay_result *result)
{
    result->damaged = r->reader.damaged;
    result->rows = r->table.rows;
    result->row_count = r->table.row_count;
    for (uint32_t i = 0; i < r->extra_count; i++) {
        free(r->extras[i].lines);
    }
    free(r->extras);
    free(r->ran);
    free(r->table.slots);
    trace_free(&r->reader);
    return r->reader.damaged || r->table.failed ? -1 : 0;
}

void tinyhil_free(replay_result *result)
{
    free(result->rows);
    result->rows = NULL;
}

/* --- what was executed ------------------------------------------------------------------------------------------- */

static void count_transfer(replay *r, const trace_node *from, uint32_t to)
{
    extra *e = &r->extras[from->number];
    if (e->row_layer != r->table.layer || e->to != to) {
        e->row = table_find(&r->table, ROW_TRANSFER, last_instruction(from), to);
        e->to = to;
        e->row_layer = r->table.layer;
    }
    if (!r->table.failed) {
        r->table.rows[e->row].count++;
    }
}

static void count_run(replay *r, uint32_t number)
{
    if (r->extras[number].runs++ != 0U) {
        return;
    }
    if (r->ran_count == r->ran_room) {
        uint32_t room = r->ran_room * 2U + 256U;
        uint32_t *grown = realloc(r->ran, room * sizeof *grown);
        if (grown == NULL) {
            r->table.failed = 1;
            return;
        }
        r->ran = grown;
        r->ran_room = room;
    }
    r->ran[r->ran_count++] = number;
}

static void end_layer(replay *r)
{
    for (uint32_t i = 0; i < r->ran_count; i++) {
        uint32_t n = r->ran[i];
        const trace_node *node = r->reader.nodes[n];
        uint32_t address = node->start;
        for (uint32_t at = 0; at < node->count; at++) {
            table_add(&r->table, ROW_COUNT, address, 0, r->extras[n].runs);
            address += width(node, at);
        }
        r->extras[n].runs = 0;
    }
    r->ran_count = 0;
}

int tinyhil_count(const uint8_t *trace, uint64_t size, const replay_span *spans, uint32_t span_count,
                  uint32_t elsewhere, replay_result *result)
{
    replay r;
    const trace_node *block = NULL, *left = NULL, *node;
    uint32_t layer = 0; /* of `left`, from which control goes where the next block is */
    if (begin(&r, trace, size, spans, span_count, elsewhere) != 0) {
        return finish(&r, result);
    }
    while (!r.table.failed && (node = trace_next(&r.reader)) != NULL) {
        extra *e = extra_of(&r, node->number);
        if (e == NULL) {
            break;
        }
        switch (node->kind) {
        case TRACE_ENTER:
            enter_layer(&r, e);
            table_add(&r.table, ROW_LAYER, node->start, 0, 1);
            block = NULL;
            break;
        case TRACE_BLOCK:
            if (left != NULL && left->start + left->size != node->start) {
                uint32_t here = r.table.layer;
                r.table.layer = layer;
                count_transfer(&r, left, node->start);
                r.table.layer = here;
            }
            left = NULL;
            if (block != NULL && block->start + block->size != node->start) {
                count_transfer(&r, block, node->start);
            }
            count_run(&r, node->number);
            block = node;
            break;
        case TRACE_LEAVE:
            if (node->start == 0U) {
                left = block;
                layer = r.table.layer;
            } else if (block != NULL && block->start + block->size != node->start) {
                count_transfer(&r, block, node->start);
            }
            end_layer(&r);
            block = NULL;
            break;
        default:
            table_add(&r.table, node->kind == TRACE_LOAD ? ROW_LOAD : ROW_STORE, node->start,
                      span_of(&r, node->address, e), 1);
        }
    }
    return finish(&r, result);
}

/* --- what was missed --------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t sets, ways, shift, in_turn;
    uint32_t sectors;
    uint32_t recent; /* the sector touched last */
    uint32_t *tags;  /* [set][way], line + 1; least used last, or the oldest at `next` */
    uint32_t *next;  /* [set], where ways are filled in turn */
    uint32_t *filled; /* [set][way], the sectors that are there */
} cache;

static int make_cache(cache *c, const replay_cache *facts)
{
    uint32_t sectors = facts->sectors == 0U ? 1U : facts->sectors, shift = facts->line_log2;
    for (uint32_t n = sectors; n > 1U; n >>= 1) {
        shift--;
    }
    *c = (cache){facts->sets, facts->ways, shift, facts->in_turn, sectors, 0, NULL, NULL, NULL};
    c->filled = calloc((size_t)facts->sets * facts->ways, sizeof *c->filled);
    c->tags = calloc((size_t)facts->sets * facts->ways, sizeof *c->tags);
    c->next = calloc(facts->sets, sizeof *c->next);
    return c->tags != NULL && c->next != NULL && c->filled != NULL ? 0 : -1;
}

/* Whether the sector is there. It is afterwards, unless it is not to be filled. `tag`: sector + 1 */
static int touch(cache *c, uint32_t tag, int fill)
{
    if (tag == c->recent) {
        return 1;
    }
    uint32_t line = (tag - 1U) / c->sectors, bit = 1U << ((tag - 1U) % c->sectors), set = line % c->sets;
    uint32_t *tags = &c->tags[(size_t)set * c->ways], *filled = &c->filled[(size_t)set * c->ways];
    for (uint32_t way = 0; way < c->ways; way++) {
        if (tags[way] == line + 1U) {
            int there = (filled[way] & bit) != 0U;
            if (!there && !fill) {
                return 0;
            }
            uint32_t now = filled[way] | bit;
            if (!c->in_turn) {
                memmove(tags + 1, tags, way * sizeof *tags);
                memmove(filled + 1, filled, way * sizeof *filled);
                tags[0] = line + 1U;
                filled[0] = now;
            } else {
                filled[way] = now;
            }
            c->recent = tag;
            return there;
        }
    }
    if (!fill) {
        return 0;
    }
    if (c->in_turn) {
        tags[c->next[set]] = line + 1U;
        filled[c->next[set]] = bit;
        c->next[set] = (c->next[set] + 1U) % c->ways;
    } else {
        memmove(tags + 1, tags, (c->ways - 1U) * sizeof *tags);
        memmove(filled + 1, filled, (c->ways - 1U) * sizeof *filled);
        tags[0] = line + 1U;
        filled[0] = bit;
    }
    c->recent = tag;
    return 0;
}

/* The lines that a block lies in, each with the first instruction that needs it. */
static int find_lines(replay *r, const trace_node *block, extra *e, const replay_memory *memories, const cache *caches)
{
    e->memory = span_of(r, block->start, e);
    int32_t number = memories[e->memory].fetch;
    e->lines = malloc((block->size / 2U + 1U) * sizeof *e->lines);
    if (e->lines == NULL) {
        return -1;
    }
    uint32_t address = block->start, last = 0;
    for (uint32_t i = 0; i < block->count && number >= 0; i++) {
        uint32_t shift = caches[number].shift, end = address + width(block, i);
        for (uint32_t tag = (address >> shift) + 1U; tag <= ((end - 1U) >> shift) + 1U; tag++) {
            if (tag != last) {
                e->lines[e->line_count++] = (block_line){tag, address};
                last = tag;
            }
        }
        address = end;
    }
    return 0;
}

typedef struct {
    replay *r;
    cache *caches;
    const replay_memory *memories;
    const extra *block; /* whose lines are fetched, as far as `at`; there are extras for all nodes from the start */
    uint32_t at;
    uint32_t fetched; /* the line before */
    uint32_t *loaded; /* [memory], what a load missed before */
} pipeline;

static inline void fetch_until(pipeline *p, uint32_t instruction)
{
    const extra *block = p->block;
    while (block != NULL && p->at < block->line_count && block->lines[p->at].instruction <= instruction) {
        const block_line *line = &block->lines[p->at++];
        if (!touch(&p->caches[p->memories[block->memory].fetch], line->tag, 1)) {
            table_add(&p->r->table, ROW_FETCH, line->instruction, block->memory, 1);
            if (line->tag == p->fetched + 1U) {
                table_add(&p->r->table, ROW_SEQUENTIAL, line->instruction, block->memory, 1);
            }
        }
        p->fetched = line->tag;
    }
}

static inline void access_data(pipeline *p, const trace_node *site, extra *e, uint32_t bytes)
{
    uint32_t memory = span_of(p->r, site->address, e);
    const replay_memory *m = &p->memories[memory];
    if (m->data < 0) {
        return;
    }
    cache *c = &p->caches[m->data];
    uint32_t last = ((site->address + bytes - 1U) >> c->shift) + 1U;
    int is_store = site->kind == TRACE_STORE;
    for (uint32_t tag = (site->address >> c->shift) + 1U; tag <= last; tag++) {
        if (!touch(c, tag, !is_store || m->write_allocate != 0U) && (!is_store || m->write_allocate != 0U)) {
            table_add(&p->r->table, is_store ? ROW_STORE : ROW_LOAD, site->start, memory, 1);
            if (!is_store) {
                if (tag == p->loaded[memory] + 1U) {
                    table_add(&p->r->table, ROW_NEXT_LOAD, site->start, memory, 1);
                }
                p->loaded[memory] = tag;
            }
        }
    }
}

/* Bytes that each site accesses, which stand at the trace's end. */
static uint32_t *read_spans(const uint8_t *trace, uint64_t size, uint32_t *count)
{
    trace_reader reader;
    uint32_t *spans = NULL;
    if (trace_start(&reader, trace, (size_t)size) == 0) {
        while (trace_next(&reader) != NULL) {
        }
        trace_read_spans(&reader);
        spans = reader.damaged ? NULL : calloc(reader.node_count + 1U, sizeof *spans);
        for (uint32_t i = 0; spans != NULL && i < reader.node_count; i++) {
            uint32_t span = reader.nodes[i]->span;
            spans[i] = span == 0U ? 1U : span;
        }
        *count = reader.node_count;
    }
    trace_free(&reader);
    return spans;
}

static void simulate(replay *r, pipeline *p, const uint32_t *spans, uint32_t span_nodes)
{
    const trace_node *node;
    while (!r->table.failed && (node = trace_next(&r->reader)) != NULL) {
        extra *e = extra_of(r, node->number);
        if (e == NULL || node->number >= span_nodes) {
            r->table.failed = 1;
            break;
        }
        switch (node->kind) {
        case TRACE_BLOCK:
            fetch_until(p, UINT32_MAX);
            if (e->lines == NULL && find_lines(r, node, e, p->memories, p->caches) != 0) {
                r->table.failed = 1;
                break;
            }
            p->block = e;
            p->at = 0;
            break;
        case TRACE_ENTER:
            enter_layer(r, e);
            p->block = NULL;
            break;
        case TRACE_LEAVE:
            fetch_until(p, UINT32_MAX);
            p->block = NULL;
            break;
        default:
            fetch_until(p, node->start);
            access_data(p, node, e, spans[node->number]);
        }
    }
}

int tinyhil_simulate(const uint8_t *trace, uint64_t size, const replay_span *spans, uint32_t span_count,
                     uint32_t elsewhere, const replay_memory *memories, const replay_cache *caches,
                     uint32_t cache_count, replay_result *result)
{
    replay r;
    uint32_t node_count = 0;
    uint32_t *sizes = read_spans(trace, size, &node_count);
    uint32_t highest = elsewhere;
    for (uint32_t i = 0; i < span_count; i++) {
        highest = spans[i].to > highest ? spans[i].to : highest;
    }
    uint32_t *loaded = calloc((size_t)highest + 1U, sizeof *loaded);
    cache *made = calloc(cache_count + 1U, sizeof *made);
    int failed = begin(&r, trace, size, spans, span_count, elsewhere) != 0 || sizes == NULL || made == NULL ||
                 loaded == NULL;
    for (uint32_t i = 0; i < cache_count && !failed; i++) {
        failed = make_cache(&made[i], &caches[i]);
    }
    failed = failed || extra_of(&r, node_count) == NULL;
    if (!failed) {
        pipeline p = {&r, made, memories, NULL, 0, 0, loaded};
        simulate(&r, &p, sizes, node_count);
    }
    for (uint32_t i = 0; i < cache_count && made != NULL; i++) {
        free(made[i].tags);
        free(made[i].next);
        free(made[i].filled);
    }
    free(made);
    free(loaded);
    free(sizes);
    return finish(&r, result) != 0 || failed ? -1 : 0;
}
