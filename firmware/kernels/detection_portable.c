#include "detection_portable.h"

#include "exp_double.h"

typedef struct {
    float y0, x0, y1, x1;
} hil_box;

/* Candidates as a heap whose root has the highest score; of equal scores, the lower number. */
typedef struct {
    const uint8_t *scores; /* of candidate i, at i * step */
    int32_t step;
    uint8_t *heap; /* int32 numbers of candidates */
    int32_t size;
} hil_candidates;

HIL_LOCAL int32_t hil_candidate(const hil_candidates *c, int32_t place)
{
    int32_t number;
    memcpy(&number, c->heap + 4 * place, 4);
    return number;
}

HIL_LOCAL int hil_ahead(const hil_candidates *c, int32_t i, int32_t j)
{
    const float a = hil_float_load(c->scores + i * c->step), b = hil_float_load(c->scores + j * c->step);
    return a > b || (a == b && i < j);
}

/* puts a candidate at `place`, or below it where others are ahead */
HIL_LOCAL void hil_sink(const hil_candidates *c, int32_t place, int32_t number)
{
    for (;;) {
        int32_t child = 2 * place + 1;
        if (child >= c->size) {
            break;
        }
        if (child + 1 < c->size && hil_ahead(c, hil_candidate(c, child + 1), hil_candidate(c, child))) {
            ++child;
        }
        const int32_t other = hil_candidate(c, child);
        if (!hil_ahead(c, other, number)) {
            break;
        }
        memcpy(c->heap + 4 * place, &other, 4);
        place = child;
    }
    memcpy(c->heap + 4 * place, &number, 4);
}

HIL_LOCAL void hil_gather_candidates(hil_candidates *c, int32_t boxes, float least)
{
    c->size = 0;
    for (int32_t i = 0; i < boxes; ++i) {
        if (hil_float_load(c->scores + i * c->step) >= least) {
            memcpy(c->heap + 4 * c->size, &i, 4);
            ++c->size;
        }
    }
    for (int32_t place = c->size / 2 - 1; place >= 0; --place) {
        hil_sink(c, place, hil_candidate(c, place));
    }
}

HIL_LOCAL int32_t hil_take_best(hil_candidates *c)
{
    const int32_t best = hil_candidate(c, 0);
    --c->size;
    if (c->size > 0) {
        hil_sink(c, 0, hil_candidate(c, c->size));
    }
    return best;
}

HIL_LOCAL float hil_centre(float encoded, float scale, float size, float place)
{
    return (float)(hil_rounded_double((double)encoded / (double)scale * (double)size) + (double)place);
}

HIL_LOCAL float hil_half(float encoded, float scale, float size)
{
    return hil_rounded((float)(0.5 * hil_exp_double((double)encoded / (double)scale) * (double)size));
}

HIL_LOCAL hil_box hil_decode(const uint8_t *encoding, const uint8_t *anchor, const float *scales)
{
    const float h = hil_float_load(anchor + 8), w = hil_float_load(anchor + 12);
    const float y = hil_centre(hil_float_load(encoding), scales[0], h, hil_float_load(anchor));
    const float x = hil_centre(hil_float_load(encoding + 4), scales[1], w, hil_float_load(anchor + 4));
    const float half_h = hil_half(hil_float_load(encoding + 8), scales[2], h);
    const float half_w = hil_half(hil_float_load(encoding + 12), scales[3], w);
    const hil_box box = {y - half_h, x - half_w, y + half_h, x + half_w};
    return box;
}

HIL_LOCAL float hil_area(const hil_box *box)
{
    return hil_rounded((box->y1 - box->y0) * (box->x1 - box->x0));
}

/* the length in common of two intervals */
HIL_LOCAL float hil_common(float a0, float a1, float b0, float b1)
{
    const float length = (b1 < a1 ? b1 : a1) - (a0 < b0 ? b0 : a0);
    return length < 0.0f ? 0.0f : length;
}

HIL_LOCAL int hil_overlaps(const hil_box *a, const hil_box *b, float most)
{
    const float area_a = hil_area(a), area_b = hil_area(b);
    if (area_a <= 0.0f || area_b <= 0.0f) {
        return 0.0f > most;
    }
    const float common =
        hil_rounded(hil_common(a->y0, a->y1, b->y0, b->y1) * hil_common(a->x0, a->x1, b->x0, b->x1));
    return common / (area_a + area_b - common) > most;
}

/* The best candidate that overlaps none of the `kept` boxes, which is put behind them; -1 where there is none. */
HIL_LOCAL int32_t hil_next_detection(hil_candidates *c, uint8_t *kept, int32_t count, const uint8_t *encodings,
                                     const uint8_t *anchors, const float *constants, const detection_portable_shape *s)
{
    while (c->size > 0) {
        const int32_t number = hil_take_best(c);
        const hil_box box = hil_decode(encodings + number * s->size * 4, anchors + number * 16, constants);
        int32_t i = 0;
        for (; i < count; ++i) {
            hil_box other;
            memcpy(&other, kept + 16 * i, 16);
            if (hil_overlaps(&other, &box, constants[5])) {
                break;
            }
        }
        if (i == count) {
            memcpy(kept + 16 * count, &box, 16);
            return number;
        }
    }
    return -1;
}

/* The highest score of a box, the first of equal ones; its class goes to *found. */
HIL_LOCAL float hil_best_class(const uint8_t *scores, int32_t classes, int32_t *found)
{
    float best = hil_float_load(scores);
    *found = 0;
    for (int32_t i = 1; i < classes; ++i) {
        const float score = hil_float_load(scores + 4 * i);
        if (score > best) {
            best = score;
            *found = i;
        }
    }
    return best;
}

/* Puts a detection into the list behind those with its score or a higher one; the last of a full list falls out. */
HIL_LOCAL int32_t hil_insert(uint8_t *best, uint8_t *codes, int32_t count, int32_t most, float score, int32_t code)
{
    int32_t place = count;
    while (place > 0 && hil_float_load(best + 4 * (place - 1)) < score) {
        --place;
    }
    if (place == most) {
        return count;
    }
    count += count < most ? 1 : 0;
    memmove(best + 4 * (place + 1), best + 4 * place, (size_t)(4 * (count - 1 - place)));
    memmove(codes + 4 * (place + 1), codes + 4 * place, (size_t)(4 * (count - 1 - place)));
    hil_float_store(best + 4 * place, score);
    memcpy(codes + 4 * place, &code, 4);
    return count;
}

HIL_SHARED void detection_portable(const uint8_t *encodings, const uint8_t *scores, const uint8_t *anchors,
                                   const float *constants, uint8_t *boxes, uint8_t *classes, uint8_t *best,
                                   uint8_t *count, uint8_t *scratch, const detection_portable_shape *s)
{
    const uint8_t *first = scores + 4 * (s->columns - s->classes);
    hil_candidates candidates = {first, 4 * s->columns, scratch, 0};
    uint8_t *behind = scratch + 4 * s->boxes;
    int32_t found = 0, column;
    memset(boxes, 0, (size_t)(16 * s->room));
    memset(classes, 0, (size_t)(4 * s->room));
    memset(best, 0, (size_t)(4 * s->room));
    if (s->each == 0) {
        for (int32_t i = 0; i < s->boxes; ++i) {
            hil_float_store(behind + 4 * i, hil_best_class(first + 4 * s->columns * i, s->classes, &column));
        }
        candidates.scores = behind;
        candidates.step = 4;
        hil_gather_candidates(&candidates, s->boxes, constants[4]);
        while (found < s->most) {
            const int32_t i = hil_next_detection(&candidates, boxes, found, encodings, anchors, constants, s);
            if (i < 0) {
                break;
            }
            hil_float_store(best + 4 * found, hil_best_class(first + 4 * s->columns * i, s->classes, &column));
            hil_float_store(classes + 4 * found, (float)column);
            ++found;
        }
    } else {
        for (column = 0; column < s->classes; ++column) {
            candidates.scores = first + 4 * column;
            hil_gather_candidates(&candidates, s->boxes, constants[4]);
            for (int32_t kept = 0; kept < s->each; ++kept) {
                const int32_t i = hil_next_detection(&candidates, behind, kept, encodings, anchors, constants, s);
                if (i < 0) {
                    break;
                }
                const float score = hil_float_load(candidates.scores + i * candidates.step);
                found = hil_insert(best, classes, found, s->most, score, i * s->classes + column);
            }
        }
        for (int32_t i = 0; i < found; ++i) {
            int32_t code;
            memcpy(&code, classes + 4 * i, 4);
            const int32_t box = code / s->classes;
            const hil_box decoded = hil_decode(encodings + box * s->size * 4, anchors + box * 16, constants);
            memcpy(boxes + 16 * i, &decoded, 16);
            hil_float_store(classes + 4 * i, (float)(code - box * s->classes));
        }
    }
    hil_float_store(count, (float)found);
}
