/* A trace of executed code: which blocks ran in which order, and which addresses their loads and stores had.
 *
 * A trace is a sequence of events, each a node: a block, a load or store (site) with an address, the beginning or the end
 * of a layer, or the trace's end. Writer and reader make the same guesses: the node that followed this one last, and
 * for a site the address before plus its stride. Only wrong guesses are written, each with the number of right ones
 * before it, so that a loop takes a few bytes however often it runs.
 *
 *   file    := "TINYTRC1" (run node [definition] | run difference)* run END spans checksum "TINYEND1"
 *   run     := varint, right guesses since the last wrong one
 *   node    := varint, its number; a number that is new is followed by its definition
 *   definition := kind (byte) address (varint), and for a block: bytes, instructions (varints), a bit per instruction, set
 *              where it has four bytes
 *   difference := varint, zigzag: the address less the guessed one
 *   spans   := per site, in the order of their numbers: bytes that it accesses (varint)
 *   checksum := CRC-32 of all before it, four bytes, the lowest first
 */
#ifndef TINYHIL_TRACE_H
#define TINYHIL_TRACE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_MAGIC "TINYTRC1"
#define TRACE_END "TINYEND1"
#define TRACE_MAGIC_SIZE 8U
#define TRACE_CHECKSUM_SIZE 4U
#define TRACE_NONE UINT32_MAX
#define TRACE_BUFFER (1U << 16)
#define TRACE_MOST_DEFINITION 128U /* bytes of the longest definition: a block has at most TRACE_MOST_INSTRUCTIONS */
#define TRACE_MOST_INSTRUCTIONS 512U

enum { TRACE_BLOCK = 0, TRACE_LOAD = 1, TRACE_STORE = 2, TRACE_ENTER = 3, TRACE_LEAVE = 4, TRACE_STOP = 5 };

typedef struct {
    uint32_t number; /* TRACE_NONE until it first occurs */
    uint32_t follower; /* guess: what comes next */
    uint32_t start;    /* block: its first instruction; site: the instruction; ENTER, LEAVE: where control goes */
    uint32_t size;     /* block: bytes */
    uint32_t count;    /* block: instructions */
    uint32_t span;     /* site: bytes that one execution accesses */
    uint32_t address;  /* site: the last one */
    uint32_t stride;   /* site: guess: what is added to it */
    uint32_t trend;    /* site: the last difference; twice the same makes a stride */
    uint8_t kind;
    uint8_t wide[TRACE_MOST_INSTRUCTIONS / 8U]; /* block: a bit per instruction */
} trace_node;

static inline void trace_init_node(trace_node *node, uint8_t kind, uint32_t start)
{
    memset(node, 0, sizeof *node);
    node->kind = kind;
    node->start = start;
    node->number = node->follower = TRACE_NONE;
}

static inline int trace_is_site(const trace_node *node)
{
    return node->kind == TRACE_LOAD || node->kind == TRACE_STORE;
}

/* A wrong guess at an address. */
static inline void trace_learn(trace_node *site, uint32_t address)
{
    uint32_t difference = address - site->address;
    if (difference == site->trend) {
        site->stride = difference;
    }
    site->trend = difference;
    site->address = address;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

typedef struct {
    FILE *file;
    int failed;
    trace_node *last;
    uint64_t run;
    trace_node **sites; /* in the order of their numbers */
    uint32_t site_count, site_room;
    uint32_t node_count;
    size_t used;
    uint32_t checksum;
    uint32_t checksum_table[256];
    uint8_t buffer[TRACE_BUFFER];
} trace_writer;

static inline void trace_flush(trace_writer *w)
{
    for (size_t i = 0; i < w->used; i++) {
        w->checksum = w->checksum_table[(w->checksum ^ w->buffer[i]) & 0xFFU] ^ w->checksum >> 8;
    }
    if (w->used != 0U && fwrite(w->buffer, 1, w->used, w->file) != w->used) {
        w->failed = 1;
    }
    w->used = 0;
}

static inline void trace_byte(trace_writer *w, uint8_t byte)
{
    w->buffer[w->used++] = byte;
}

static inline void trace_varint(trace_writer *w, uint64_t value)
{
    while (value >= 0x80U) {
        trace_byte(w, (uint8_t)(value | 0x80U));
        value >>= 7;
    }
    trace_byte(w, (uint8_t)value);
}

static inline void trace_wrong(trace_writer *w, uint64_t value)
{
    if (w->used + TRACE_MOST_DEFINITION > TRACE_BUFFER) {
        trace_flush(w);
    }
    trace_varint(w, w->run);
    trace_varint(w, value);
    w->run = 0;
}

static inline void trace_define(trace_writer *w, const trace_node *node)
{
    trace_byte(w, node->kind);
    trace_varint(w, node->start);
    if (node->kind == TRACE_BLOCK) {
        trace_varint(w, node->size);
        trace_varint(w, node->count);
        for (uint32_t i = 0; i < (node->count + 7U) / 8U; i++) {
            trace_byte(w, node->wide[i]);
        }
    }
}

static inline void trace_number(trace_writer *w, trace_node *node)
{
    node->number = w->node_count++;
    if (!trace_is_site(node)) {
        return;
    }
    if (w->site_count == w->site_room) {
        w->site_room = w->site_room * 2U + 256U;
        trace_node **grown = realloc(w->sites, w->site_room * sizeof *grown);
        if (grown == NULL) {
            w->failed = 1;
            w->site_room = w->site_count;
            return;
        }
        w->sites = grown;
    }
    w->sites[w->site_count++] = node;
}

static inline void trace_event(trace_writer *w, trace_node *node)
{
    int is_new = node->number == TRACE_NONE;
    if (is_new) {
        trace_number(w, node);
    }
    if (!is_new && w->last->follower == node->number) {
        w->run++;
    } else {
        trace_wrong(w, node->number);
        if (is_new) {
            trace_define(w, node);
        }
        w->last->follower = node->number;
    }
    w->last = node;
}

/* `size` bytes from `address`; further pieces of one execution that adjoin the first are part of it. */
static inline void trace_access(trace_writer *w, trace_node *site, uint32_t address, uint32_t size)
{
    if (w->last == site) {
        uint32_t offset = address - site->address;
        if (offset <= site->span && offset + size <= TRACE_MOST_INSTRUCTIONS) {
            site->span = offset + size > site->span ? offset + size : site->span;
            return;
        }
    }
    trace_event(w, site);
    site->span = size > site->span ? size : site->span;
    if (address == site->address + site->stride) {
        site->address = address;
        w->run++;
    } else {
        uint32_t difference = address - (site->address + site->stride);
        trace_wrong(w, (uint32_t)(difference << 1) ^ (0U - (difference >> 31)));
        trace_learn(site, address);
    }
}

static inline int trace_open(trace_writer *w, const char *path, trace_node *beginning)
{
    memset(w, 0, sizeof *w);
    trace_init_node(beginning, TRACE_STOP, 0);
    w->last = beginning;
    w->checksum = UINT32_MAX;
    for (uint32_t i = 0; i < 256U; i++) {
        uint32_t value = i;
        for (unsigned bit = 0; bit < 8U; bit++) {
            value = (value >> 1) ^ ((value & 1U) != 0U ? 0xEDB88320U : 0U);
        }
        w->checksum_table[i] = value;
    }
    w->file = fopen(path, "wb");
    if (w->file == NULL) {
        return -1;
    }
    memcpy(w->buffer, TRACE_MAGIC, TRACE_MAGIC_SIZE);
    w->used = TRACE_MAGIC_SIZE;
    return 0;
}

static inline int trace_close(trace_writer *w, trace_node *stop)
{
    trace_init_node(stop, TRACE_STOP, 0);
    trace_event(w, stop);
    for (uint32_t i = 0; i < w->site_count; i++) {
        if (w->used + TRACE_MOST_DEFINITION > TRACE_BUFFER) {
            trace_flush(w);
        }
        trace_varint(w, w->sites[i]->span);
    }
    trace_flush(w);
    uint32_t checksum = ~w->checksum;
    for (unsigned i = 0; i < TRACE_CHECKSUM_SIZE; i++) {
        trace_byte(w, (uint8_t)(checksum >> 8U * i));
    }
    memcpy(w->buffer + w->used, TRACE_END, TRACE_MAGIC_SIZE);
    w->used += TRACE_MAGIC_SIZE;
    trace_flush(w);
    if (fclose(w->file) != 0) {
        w->failed = 1;
    }
    free(w->sites);
    return w->failed ? -1 : 0;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *at, *end;
    uint64_t run;
    int damaged;
    trace_node **nodes;
    uint32_t node_count, node_room;
    trace_node *last;
    trace_node beginning;
} trace_reader;

static inline uint64_t trace_read_varint(trace_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64U; shift += 7U) {
        if (r->at >= r->end) {
            break;
        }
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7FU) << shift;
        if (byte < 0x80U) {
            return value;
        }
    }
    r->damaged = 1;
    return 0;
}

/* The checksum is for the caller to look at. */
static inline int trace_start(trace_reader *r, const uint8_t *bytes, size_t size)
{
    memset(r, 0, sizeof *r);
    trace_init_node(&r->beginning, TRACE_STOP, 0);
    r->last = &r->beginning;
    if (size < 2U * TRACE_MAGIC_SIZE + TRACE_CHECKSUM_SIZE || memcmp(bytes, TRACE_MAGIC, TRACE_MAGIC_SIZE) != 0 ||
        memcmp(bytes + size - TRACE_MAGIC_SIZE, TRACE_END, TRACE_MAGIC_SIZE) != 0) {
        r->damaged = 1;
        return -1;
    }
    r->at = bytes + TRACE_MAGIC_SIZE;
    r->end = bytes + size - TRACE_MAGIC_SIZE - TRACE_CHECKSUM_SIZE;
    r->run = trace_read_varint(r);
    return r->damaged ? -1 : 0;
}

static inline void trace_free(trace_reader *r)
{
    for (uint32_t i = 0; i < r->node_count; i++) {
        free(r->nodes[i]);
    }
    free(r->nodes);
    r->nodes = NULL;
    r->node_count = r->node_room = 0;
}

static inline trace_node *trace_read_definition(trace_reader *r)
{
    if (r->node_count == r->node_room) {
        uint32_t room = r->node_room * 2U + 256U;
        trace_node **grown = realloc(r->nodes, room * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        r->nodes = grown;
        r->node_room = room;
    }
    trace_node *node = malloc(sizeof *node);
    if (node == NULL || r->at >= r->end) {
        free(node);
        return NULL;
    }
    uint8_t kind = *r->at++;
    trace_init_node(node, kind, (uint32_t)trace_read_varint(r));
    node->number = r->node_count;
    r->nodes[r->node_count++] = node;
    if (kind > TRACE_STOP) {
        return NULL;
    }
    if (kind == TRACE_BLOCK) {
        uint64_t size = trace_read_varint(r), count = trace_read_varint(r);
        if (count == 0U || count > TRACE_MOST_INSTRUCTIONS || size < 2U * count || size > 4U * count ||
            (uint64_t)(r->end - r->at) < (count + 7U) / 8U) {
            return NULL;
        }
        node->size = (uint32_t)size;
        node->count = (uint32_t)count;
        uint32_t bytes = (node->count + 7U) / 8U;
        memcpy(node->wide, r->at, bytes);
        r->at += bytes;
        uint32_t wide = 0;
        for (uint32_t i = 0; i < node->count; i++) {
            wide += (uint32_t)(node->wide[i / 8U] >> (i % 8U)) & 1U;
        }
        if (2U * (node->count + wide) != node->size) {
            return NULL;
        }
    }
    return node;
}

/* The next event, a site's with its address set; NULL at the end, and where the trace is damaged. */
static inline trace_node *trace_next(trace_reader *r)
{
    trace_node *node;
    if (r->run != 0U) {
        r->run--;
        if (r->last->follower >= r->node_count) {
            r->damaged = 1;
            return NULL;
        }
        node = r->nodes[r->last->follower];
    } else {
        uint64_t number = trace_read_varint(r);
        if (r->damaged || number > r->node_count) {
            r->damaged = 1;
            return NULL;
        }
        node = number < r->node_count ? r->nodes[number] : trace_read_definition(r);
        if (node == NULL) {
            r->damaged = 1;
            return NULL;
        }
        r->last->follower = node->number;
        if (node->kind == TRACE_STOP) {
            return NULL;
        }
        r->run = trace_read_varint(r);
    }
    r->last = node;
    if (trace_is_site(node)) {
        if (r->run != 0U) {
            r->run--;
            node->address += node->stride;
        } else {
            uint32_t zigzag = (uint32_t)trace_read_varint(r);
            uint32_t difference = (zigzag >> 1) ^ (0U - (zigzag & 1U));
            trace_learn(node, node->address + node->stride + difference);
            r->run = trace_read_varint(r);
        }
    }
    return r->damaged ? NULL : node;
}

/* How many bytes each site accesses; once trace_next has come to the end. */
static inline void trace_read_spans(trace_reader *r)
{
    for (uint32_t i = 0; i < r->node_count && !r->damaged; i++) {
        if (trace_is_site(r->nodes[i])) {
            r->nodes[i]->span = (uint32_t)trace_read_varint(r);
        }
    }
}

#endif
