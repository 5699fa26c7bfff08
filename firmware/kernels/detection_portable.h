/* TFLite_Detection_PostProcess: boxes decoded from their anchors, the best of those that overlap kept.
 *
 * Boxes are decoded when their turn comes, best scores first, so that those below the threshold cost a comparison. */
#ifndef HIL_KERNELS_DETECTION_PORTABLE_H
#define HIL_KERNELS_DETECTION_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t boxes, size;      /* encodings, and numbers of each */
    int32_t classes, columns; /* classes, and scores of a box: one more where the first is the background's */
    int32_t most, room;       /* detections, and how many the outputs have room for */
    int32_t each;             /* detections of a class; 0: boxes compete with their best class alone */
} detection_portable_shape;

/* constants: scales of y, x, h and w; least score; largest intersection over union of two that stay.
 * scratch: 4 bytes a box, then 4 bytes a box where boxes compete with their best class, or else 16 for each of a class. */
void detection_portable(const uint8_t *encodings, const uint8_t *scores, const uint8_t *anchors, const float *constants,
                        uint8_t *boxes, uint8_t *classes, uint8_t *best, uint8_t *count, uint8_t *scratch,
                        const detection_portable_shape *s);

#endif
