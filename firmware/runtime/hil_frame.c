#include "hil_frame.h"

#include <string.h>

#include "hil_port.h"

/* Half-byte table: 64 bytes of flash instead of 1 KiB, and still fast beside the line. */
static const uint32_t crc_table[16] = {
    0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU, 0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U, 0x5005713CU,
    0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU, 0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU,
};

static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFU;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ crc_table[crc & 15U];
        crc = (crc >> 4) ^ crc_table[crc & 15U];
    }
    return ~crc;
}

static void push(hil_receiver *receiver, uint8_t byte)
{
    if (receiver->size < sizeof receiver->content) {
        receiver->content[receiver->size++] = byte;
    } else {
        receiver->bad = 1;
    }
}

static int finish(hil_receiver *receiver)
{
    int result = HIL_RX_DAMAGED;
    if (!receiver->started) {
        return HIL_RX_MORE; /* nothing between two zeros */
    }
    if (!receiver->bad && receiver->left == 0 && receiver->size >= HIL_FRAME_HEAD + HIL_FRAME_CRC) {
        size_t size = receiver->size - HIL_FRAME_CRC;
        if (crc32(receiver->content, size) == hil_get32(receiver->content + size)) {
            receiver->size = size;
            result = HIL_RX_FRAME;
        }
    }
    receiver->started = 0;
    return result;
}

int hil_receive(hil_receiver *receiver, uint8_t byte)
{
    if (byte == 0) {
        return finish(receiver);
    }
    if (!receiver->started) {
        receiver->started = 1;
        receiver->size = 0;
        receiver->left = 0;
        receiver->zero_due = 0;
        receiver->bad = 0;
    }
    if (receiver->left > 0) {
        push(receiver, byte);
        receiver->left--;
    } else {
        if (receiver->zero_due) {
            push(receiver, 0);
        }
        receiver->left = (uint8_t)(byte - 1U);
        receiver->zero_due = byte != 0xFFU;
    }
    return HIL_RX_MORE;
}

/* COBS output: `block` collects up to 254 bytes behind their code byte; whole blocks gather in `bytes`, so that a
 * semihosting call is made once a frame and not once a block. */
typedef struct {
    uint8_t bytes[768];
    size_t used;  /* whole blocks */
    size_t block; /* bytes in the open block, without its code */
} sender;

static sender out;

static void close_block(void)
{
    out.bytes[out.used] = (uint8_t)(out.block + 1U);
    out.used += out.block + 1U;
    out.block = 0;
    if (out.used + 256U > sizeof out.bytes) {
        hil_port_write(out.bytes, out.used);
        out.used = 0;
    }
}

static void encode(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (out.block == 254U) {
            close_block();
        }
        if (bytes[i] == 0) {
            close_block();
        } else {
            out.bytes[out.used + 1U + out.block++] = bytes[i];
        }
    }
}

void hil_send(const uint8_t *content, size_t size)
{
    uint8_t crc[HIL_FRAME_CRC];
    (void)hil_put32(crc, crc32(content, size));
    /* The leading zero ends whatever a disturbance left open at the other side. */
    out.bytes[0] = 0;
    out.used = 1;
    out.block = 0;
    encode(content, size);
    encode(crc, sizeof crc);
    close_block();
    out.bytes[out.used++] = 0;
    hil_port_write(out.bytes, out.used);
}
