/* The byte stream through the debug probe: two ring buffers that the debugger reads and writes while we run, laid out as
 * SEGGER's RTT, so that other tools find them too. Nothing here may lie in memory that the data cache holds back: on a
 * Cortex-M7 `data` is placed in DTCM, which has no cache. */
#include <string.h>

#include "cortexm.h"
#include "hil_port.h"

/* Up: a frame and a short answer. Down: a frame. */
#define UP_SIZE 4096U
#define DOWN_SIZE 2560U

typedef struct {
    const char *name;
    uint8_t *bytes;
    uint32_t size;
    volatile uint32_t write;
    volatile uint32_t read;
    uint32_t flags;
} ring;

typedef struct {
    volatile char identification[16];
    uint32_t up_count;
    uint32_t down_count;
    ring up;
    ring down;
} control_block;

/* The name by which debuggers look for it. */
extern control_block block __asm__("_SEGGER_RTT");
control_block block;

static uint8_t up_bytes[UP_SIZE];
static uint8_t down_bytes[DOWN_SIZE];

static void barrier(void)
{
    __asm__ volatile("dmb" ::: "memory");
}

void hil_stream_init(void)
{
    /* In two parts and backwards, so that a debugger that searches memory never takes this text for the block. */
    static const char reversed[] = "TTR REGGES";
    block.up_count = 1;
    block.down_count = 1;
    block.up = (ring){"hil", up_bytes, UP_SIZE, 0, 0, 2}; /* 2: wait while full */
    block.down = (ring){"hil", down_bytes, DOWN_SIZE, 0, 0, 2};
    barrier();
    for (uint32_t i = 0; i < sizeof reversed - 1U; i++) {
        block.identification[sizeof reversed - 2U - i] = reversed[i];
    }
    barrier();
}

size_t hil_port_read(uint8_t *bytes, size_t size)
{
    ring *from = &block.down;
    uint32_t read = from->read;
    uint32_t write = from->write;
    while (write == read) {
        write = from->write;
    }
    barrier();
    size_t there = write > read ? write - read : from->size - read;
    size_t count = there < size ? there : size;
    memcpy(bytes, from->bytes + read, count);
    barrier();
    read += (uint32_t)count;
    from->read = read == from->size ? 0U : read;
    return count;
}

void hil_port_write(const uint8_t *bytes, size_t size)
{
    ring *to = &block.up;
    while (size > 0U) {
        uint32_t write = to->write;
        uint32_t read = to->read;
        uint32_t free = read > write ? read - write - 1U : to->size - write - (read == 0U ? 1U : 0U);
        size_t count = free < size ? free : size;
        if (count == 0U) {
            continue; /* the host has not taken the last ones yet, as it may whenever it likes */
        }
        barrier();
        memcpy(to->bytes + write, bytes, count);
        barrier();
        write += (uint32_t)count;
        to->write = write == to->size ? 0U : write;
        bytes += count;
        size -= count;
    }
}
