/* Regions of a program: functions, and stretches between two places of the code. They nest, and each nest is a path.
 *
 * A program is traced from where region 0 begins to where it ends. A function's region begins at its first instruction and
 * ends with its return, which is known from the calls that are open: each block that ends with a call leaves the address
 * to return to, and a block that ends with a return, at one of these addresses, ends all calls above it. A stretch begins
 * and ends at instructions that the caller lists; a step ends the step before it and begins the next, whose region has the
 * next number: a loop's rounds, where no other round of the loop is around it. The trace has an ENTER for each change of the path, which bears the
 * path's number, and a LEAVE without an address: control goes where the next block is.
 */
#ifndef TINYHIL_TRACER_REGIONS_H
#define TINYHIL_TRACER_REGIONS_H

#include "trace.h"

#define TRACER_MOST_CALLS 4096U
#define TRACER_MOST_OPEN 512U
#define TRACER_MOST_PATHS 4096U
#define TRACER_NO_PATH UINT32_MAX

enum { TRACER_CALLS = 1, TRACER_RETURNS = 2 }; /* how a block ends */
enum { TRACER_CALL = 0, TRACER_BEGIN = 1, TRACER_END = 2, TRACER_STEP = 3 };

typedef enum { TRACER_OUTSIDE, TRACER_INSIDE, TRACER_OVER } tracer_step;

/* Something that happens before the instruction at an address. */
typedef struct {
    uint32_t address, region;
    uint8_t kind;
} tracer_point;

typedef struct {
    trace_node node;
    const tracer_point *points; /* at its start; NULL where there are none */
    uint8_t ends;
    uint8_t is_layer;
    uint8_t is_handler;
} tracer_block;

typedef struct {
    uint32_t parent, region;
    uint64_t entries; /* times that it was begun */
    trace_node enter;
} tracer_path;

typedef struct {
    uint32_t path, calls; /* calls that are open: of a function with its own, of a stretch around it */
    uint8_t is_stretch, is_step;
} tracer_open_region;

typedef struct {
    tracer_point *points; /* by address, those of one in their order */
    uint32_t count;
    uint32_t calls[TRACER_MOST_CALLS]; /* addresses to return to */
    uint32_t call_count;
    tracer_open_region open[TRACER_MOST_OPEN];
    uint32_t open_count;
    tracer_path *paths;
    uint32_t path_count;
    uint32_t current; /* path that the trace is in */
    uint32_t steps; /* that were begun */
    uint32_t unclosed, unopened; /* region + 1 of a stretch that its function left, and that ended without a beginning */
    trace_node leave, last_leave;
    int begun, overflow;
} tracer_regions;

static inline int tracer_point_kind(const char *word)
{
    static const char *const words[] = {"call", "begin", "end", "step"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* Points come in the order of their addresses. */
static inline int tracer_add_point(tracer_regions *r, uint8_t kind, uint32_t address, uint32_t region)
{
    tracer_point *grown = realloc(r->points, (r->count + 1U) * sizeof *grown);
    if (grown == NULL) {
        return -1;
    }
    r->points = grown;
    grown[r->count++] = (tracer_point){address, region, kind};
    if (r->paths == NULL) {
        r->paths = calloc(TRACER_MOST_PATHS, sizeof *r->paths);
        r->current = TRACER_NO_PATH;
        trace_init_node(&r->leave, TRACE_LEAVE, 0);
    }
    return r->paths == NULL ? -1 : 0;
}

/* The first point from an address on; its number is `count` where there is none. */
static inline uint32_t tracer_point_from(const tracer_regions *r, uint32_t address)
{
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2U;
        if (r->points[middle].address < address) {
            low = middle + 1U;
        } else {
            high = middle;
        }
    }
    return low;
}

static inline const tracer_point *tracer_points_at(const tracer_regions *r, uint32_t address)
{
    uint32_t number = tracer_point_from(r, address);
    return number < r->count && r->points[number].address == address ? &r->points[number] : NULL;
}

static inline uint32_t tracer_find_path(tracer_regions *r, uint32_t parent, uint32_t region)
{
    for (uint32_t i = 0; i < r->path_count; i++) {
        if (r->paths[i].parent == parent && r->paths[i].region == region) {
            return i;
        }
    }
    if (r->path_count == TRACER_MOST_PATHS) {
        r->overflow = 1;
        return 0;
    }
    tracer_path *made = &r->paths[r->path_count];
    *made = (tracer_path){parent, region, 0, {0}};
    trace_init_node(&made->enter, TRACE_ENTER, r->path_count);
    return r->path_count++;
}

static inline uint32_t tracer_top(const tracer_regions *r)
{
    return r->open_count == 0U ? TRACER_NO_PATH : r->open[r->open_count - 1U].path;
}

static inline void tracer_push(tracer_regions *r, uint32_t region, int is_stretch)
{
    if (r->open_count == TRACER_MOST_OPEN) {
        r->overflow = 1;
        return;
    }
    uint32_t top = tracer_top(r);
    int again = top != TRACER_NO_PATH && r->paths[top].region == region; /* a function that calls itself */
    uint32_t path = again ? top : tracer_find_path(r, top, region);
    r->paths[path].entries++;
    uint32_t calls = region == 0U && is_stretch ? 0U : r->call_count; /* what is traced may return from where it began */
    r->open[r->open_count++] = (tracer_open_region){path, calls, (uint8_t)is_stretch, 0};
}

/* Ends the regions that were opened above `calls` open calls. */
static inline void tracer_unwind(tracer_regions *r, uint32_t calls)
{
    while (r->open_count != 0U && r->open[r->open_count - 1U].calls > calls) {
        const tracer_open_region *top = &r->open[--r->open_count];
        if (top->is_stretch) {
            r->unclosed = r->paths[top->path].region + 1U;
        }
    }
}

/* The calls that are open once `block` begins after `last`. */
static inline void tracer_follow_calls(tracer_regions *r, const tracer_block *last, const tracer_block *block)
{
    uint32_t next = last->node.start + last->node.size;
    if ((last->ends & TRACER_CALLS) != 0 && next != block->node.start) {
        if (r->call_count == TRACER_MOST_CALLS) {
            r->overflow = 1;
            return;
        }
        r->calls[r->call_count++] = next;
    } else if ((last->ends & TRACER_RETURNS) != 0) {
        for (uint32_t depth = r->call_count; depth > 0U; depth--) {
            if (r->calls[depth - 1U] == block->node.start) {
                r->call_count = depth - 1U;
                tracer_unwind(r, r->call_count);
                return;
            }
        }
    }
}

static inline void tracer_close(tracer_regions *r, uint32_t region)
{
    for (uint32_t at = r->open_count; at > 0U; at--) {
        if (r->open[at - 1U].is_stretch && r->paths[r->open[at - 1U].path].region == region) {
            if (at != r->open_count) {
                r->unclosed = r->paths[tracer_top(r)].region + 1U;
            }
            r->open_count = at - 1U;
            return;
        }
    }
    r->unopened = region + 1U;
}

/* The next round of a loop; those of a loop within a round are the round's. */
static inline void tracer_next(tracer_regions *r, uint32_t first)
{
    for (uint32_t at = r->open_count; at > 0U; at--) {
        if (!r->open[at - 1U].is_step) {
            continue;
        }
        if (r->open[at - 1U].calls != r->call_count) {
            return;
        }
        r->open_count = at - 1U;
        break;
    }
    tracer_push(r, first + r->steps++, 0);
    r->open[r->open_count - 1U].is_step = 1;
}

static inline void tracer_pass(tracer_regions *r, const tracer_point *point)
{
    if (!r->begun && (point->region != 0U || point->kind == TRACER_END)) {
        return;
    }
    if (point->kind == TRACER_END) {
        tracer_close(r, point->region);
    } else if (point->kind == TRACER_STEP) {
        tracer_next(r, point->region);
    } else if (point->region != 0U || !r->begun) {
        r->begun = 1;
        tracer_push(r, point->region, point->kind == TRACER_BEGIN);
    }
}

/* What a block that begins changes; where it belongs. */
static inline tracer_step tracer_regions_step(tracer_regions *r, trace_writer *w, const tracer_block *last,
                                              const tracer_block *block)
{
    tracer_follow_calls(r, last, block);
    for (const tracer_point *p = block->points; p != NULL && p->address == block->node.start;) {
        tracer_pass(r, p);
        p = p + 1 < r->points + r->count ? p + 1 : NULL;
    }
    uint32_t path = tracer_top(r);
    if (r->begun && (path == TRACER_NO_PATH || r->overflow)) {
        if (r->current != TRACER_NO_PATH) {
            trace_init_node(&r->last_leave, TRACE_LEAVE, block->node.start);
            trace_event(w, &r->last_leave);
        }
        return TRACER_OVER;
    }
    if (path != r->current) {
        if (r->current != TRACER_NO_PATH) {
            trace_event(w, &r->leave);
        }
        trace_event(w, &r->paths[path].enter);
        r->current = path;
    }
    return r->begun ? TRACER_INSIDE : TRACER_OUTSIDE;
}

/* "path PARENT REGION ENTRIES" for each, in the order of their numbers; the first has itself as parent. */
static inline int tracer_write_paths(const tracer_regions *r, const char *file_name)
{
    FILE *file = fopen(file_name, "w");
    if (file == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < r->path_count; i++) {
        const tracer_path *path = &r->paths[i];
        uint32_t parent = path->parent == TRACER_NO_PATH ? i : path->parent;
        fprintf(file, "path %lu %lu %llu\n", (unsigned long)parent, (unsigned long)path->region,
                (unsigned long long)path->entries);
    }
    if (r->unclosed != 0U) {
        fprintf(file, "unclosed %lu\n", (unsigned long)r->unclosed - 1U);
    }
    if (r->unopened != 0U) {
        fprintf(file, "unopened %lu\n", (unsigned long)r->unopened - 1U);
    }
    fprintf(file, r->overflow ? "overflow\n" : "whole\n");
    return fclose(file) == 0 ? 0 : -1;
}

#endif
