/* Frames: COBS between zero bytes, CRC-32 at the end. Takes any bytes; hands out only whole, undamaged frames. */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "hil_wire.h"

/* Type and sequence number at the front, CRC-32 at the back. */
#define HIL_FRAME_HEAD 3U
#define HIL_FRAME_CRC 4U

typedef struct {
    uint8_t content[HIL_FRAME_MAX];
    size_t size;       /* decoded bytes so far */
    uint8_t left;      /* bytes left in the COBS block */
    uint8_t zero_due;  /* a zero follows this block if another block does */
    uint8_t started;   /* a byte other than zero has come */
    uint8_t bad;       /* over-long */
} hil_receiver;

enum { HIL_RX_MORE = 0, HIL_RX_FRAME = 1, HIL_RX_DAMAGED = 2 };

/* Takes one byte. After HIL_RX_FRAME, content[0..size) is the frame without its CRC until the next call. */
int hil_receive(hil_receiver *receiver, uint8_t byte);

/* Sends content[0..size) with its CRC as one frame. */
void hil_send(const uint8_t *content, size_t size);

static inline uint16_t hil_get16(const uint8_t *p)
{
    return (uint16_t)((uint32_t)p[0] | ((uint32_t)p[1] << 8));
}

static inline uint32_t hil_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static inline uint8_t *hil_put8(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    return p + 1;
}

static inline uint8_t *hil_put16(uint8_t *p, uint32_t value)
{
    return hil_put8(hil_put8(p, value), value >> 8);
}

static inline uint8_t *hil_put32(uint8_t *p, uint32_t value)
{
    return hil_put16(hil_put16(p, value), value >> 16);
}

static inline uint8_t *hil_put64(uint8_t *p, uint64_t value)
{
    return hil_put32(hil_put32(p, (uint32_t)value), (uint32_t)(value >> 32));
}

#endif
