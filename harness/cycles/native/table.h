/* Counters by what they count: (kind, a, b) -> number. Those of one layer, then the next. */
#ifndef TINYHIL_TABLE_H
#define TINYHIL_TABLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t layer, kind, a, b;
    uint64_t count;
} table_row;

typedef struct {
    table_row *rows;
    uint64_t row_count, row_room;
    uint32_t layer;
    uint32_t *slots; /* row + 1, or 0 */
    uint64_t slot_count, used;
    int failed;
} table;

static inline uint64_t table_hash(uint32_t layer, uint32_t kind, uint32_t a, uint32_t b)
{
    uint64_t x = ((uint64_t)a << 32 | b) ^ ((uint64_t)kind << 57) ^ ((uint64_t)layer * 0x9E3779B97F4A7C15ULL);
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ULL;
    return x ^ x >> 32;
}

static inline void table_grow(table *t)
{
    uint64_t count = t->slot_count == 0U ? 4096U : t->slot_count * 2U;
    uint32_t *slots = calloc(count, sizeof *slots);
    table_row *rows = realloc(t->rows, count / 2U * sizeof *rows);
    if (slots == NULL || rows == NULL) {
        free(slots);
        t->failed = 1;
        return;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_count = count;
    t->rows = rows;
    t->row_room = count / 2U;
    for (uint64_t i = 0; i < t->row_count; i++) {
        const table_row *row = &t->rows[i];
        uint64_t at = table_hash(row->layer, row->kind, row->a, row->b) & (count - 1U);
        while (slots[at] != 0U) {
            at = (at + 1U) & (count - 1U);
        }
        slots[at] = (uint32_t)i + 1U;
    }
}

/* The number of a counter's row, which stays the same. */
static inline uint32_t table_find(table *t, uint32_t kind, uint32_t a, uint32_t b)
{
    if (t->row_count == t->row_room) {
        table_grow(t);
        if (t->failed) {
            return 0;
        }
    }
    uint64_t at = table_hash(t->layer, kind, a, b) & (t->slot_count - 1U);
    for (; t->slots[at] != 0U; at = (at + 1U) & (t->slot_count - 1U)) {
        const table_row *row = &t->rows[t->slots[at] - 1U];
        if (row->layer == t->layer && row->kind == kind && row->a == a && row->b == b) {
            return t->slots[at] - 1U;
        }
    }
    t->rows[t->row_count] = (table_row){t->layer, kind, a, b, 0};
    t->slots[at] = (uint32_t)++t->row_count;
    return (uint32_t)(t->row_count - 1U);
}

static inline void table_add(table *t, uint32_t kind, uint32_t a, uint32_t b, uint64_t count)
{
    uint32_t row = table_find(t, kind, a, b);
    if (!t->failed) {
        t->rows[row].count += count;
    }
}

#endif
