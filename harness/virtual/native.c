/* What the emulator calls so often that Python would be most of the time. Built on demand, see native.py. */
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

#define REGIONS 16
#define SLOTS 65536U

typedef struct {
    uint64_t executed;          /* instructions of all blocks that were begun */
    uint64_t limit;             /* a block that would pass it is not begun */
    uint64_t block_address;     /* the block begun last */
    uint64_t block_size;
    int (*stop)(void *engine);
    uint64_t region_count;
    uint64_t region_origin[REGIONS];
    uint64_t region_size[REGIONS];
    const uint8_t *region_bytes[REGIONS];
    uint64_t slot_key[SLOTS];   /* address and size of a block */
    uint32_t slot_value[SLOTS]; /* its instructions */
    uint64_t baseline;          /* whether the core is of Armv6-M */
    uint64_t foreign;           /* whether it was stopped before a block with an instruction that it has not */
    uint64_t foreign_after;     /* instructions of that block before it */
    uint64_t allowed;           /* whether such blocks are begun all the same */
} tinyhil_counter;

/* Whether an instruction is none of Armv6-M: DDI 0419, A5. Python's twin is in baseline.py. */
static int is_foreign(uint32_t first, uint32_t second)
{
    if (first < 0xE800U) {
        int compares = (first & 0xF500U) == 0xB100U;                        /* CBZ, CBNZ */
        return compares || ((first & 0xFF00U) == 0xBF00U && (first & 0xFU) != 0U); /* IT */
    }
    uint32_t special = second & 0xFFU;
    int calls = (first & 0xF800U) == 0xF000U && (second & 0xD000U) == 0xD000U;
    int moves = (first == 0xF3EFU && (second & 0xF000U) == 0x8000U) || ((first & 0xFFF0U) == 0xF380U && (second & 0xFF00U) == 0x8800U);
    int masks = special >= 17U && special <= 19U; /* BASEPRI, FAULTMASK */
    int waits = first == 0xF3BFU && (second >> 4) >= 0x8F4U && (second >> 4) <= 0x8F6U;
    return !(calls || (moves && !masks) || waits);
}

/* Thumb: a halfword from 0xE800 up begins an instruction of two. `foreign`: instructions before the first that the core
 * has not, or UINT32_MAX. */
static uint32_t decode(const tinyhil_counter *counter, uint64_t address, uint64_t size, uint32_t *foreign)
{
    *foreign = UINT32_MAX;
    for (uint64_t i = 0; i < counter->region_count; i++) {
        uint64_t offset = address - counter->region_origin[i];
        if (address >= counter->region_origin[i] && offset + size <= counter->region_size[i]) {
            const uint8_t *bytes = counter->region_bytes[i] + offset;
            uint32_t count = 0;
            for (uint64_t at = 0; at < size; count++) {
                uint32_t first = (uint32_t)bytes[at] + 256U * bytes[at + 1U];
                int is_long = first >= 0xE800U && at + 4U <= size;
                uint32_t second = is_long ? (uint32_t)bytes[at + 2U] + 256U * bytes[at + 3U] : 0U;
                if (counter->baseline != 0U && *foreign == UINT32_MAX && is_foreign(first, second)) {
                    *foreign = count;
                }
                at += first >= 0xE800U ? 4U : 2U;
            }
            return count;
        }
    }
    return (uint32_t)(size / 2U);
}

EXPORT void tinyhil_block(void *engine, uint64_t address, uint32_t size, tinyhil_counter *counter)
{
    uint64_t key = address << 16 | size | 1ULL << 63;
    uint32_t slot = (uint32_t)(address >> 1) % SLOTS;
    if (counter->slot_key[slot] != key) {
        uint32_t foreign;
        uint32_t count = decode(counter, address, size, &foreign);
        if (foreign != UINT32_MAX && counter->allowed == 0U) {
            counter->foreign = 1;
            counter->foreign_after = foreign;
            counter->block_size = 0;
            counter->stop(engine);
            return;
        }
        counter->slot_key[slot] = foreign == UINT32_MAX ? key : 0U;
        counter->slot_value[slot] = count;
    }
    uint64_t executed = counter->executed + counter->slot_value[slot];
    if (executed > counter->limit) {
        counter->block_size = 0;
        counter->stop(engine);
        return;
    }
    counter->executed = executed;
    counter->block_address = address;
    counter->block_size = size;
}

/* Accesses that are not aligned, which Armv6-M refuses. */
typedef struct {
    uint64_t refused; /* whether there was one */
    uint64_t address;
    uint64_t write;
    int (*stop)(void *engine);
} tinyhil_alignment;

#define WRITES 17 /* UC_MEM_WRITE */

EXPORT void tinyhil_access(void *engine, int type, uint64_t address, int size, int64_t value, tinyhil_alignment *state)
{
    (void)value;
    if ((address & (uint64_t)(size - 1)) != 0U && state->refused == 0U) {
        state->refused = 1;
        state->address = address;
        state->write = type == WRITES;
        state->stop(engine);
    }
}

/* A serial port's registers that are used for every byte. Everything else, and whatever is out of the ordinary, is asked
 * of the model in usart.py, which fills and empties the buffers. */
#define RXNE (1U << 5)

typedef struct {
    uint32_t can_send; /* the status while it can, and nothing has come; 0 while it cannot */
    uint32_t flags;    /* errors */
    uint32_t polls;    /* of the status, since something was sent */
    uint32_t damaged;  /* what has come was sent at another rate */
    uint32_t at;       /* of `in`, what the firmware takes next */
    uint32_t end;
    uint32_t sent;
    uint32_t status_at;   /* offsets of the registers */
    uint32_t receive_at;
    uint32_t transmit_at;
    uint8_t in[4096];
    uint8_t out[512];
} tinyhil_serial;

typedef struct {
    tinyhil_serial *serial;
    uint64_t offset; /* of the port in its page */
    uint64_t (*read)(void *engine, uint64_t offset, uint32_t size, void *data);
    void (*write)(void *engine, uint64_t offset, uint32_t size, uint64_t value, void *data);
} tinyhil_page;

EXPORT uint64_t tinyhil_serial_read(void *engine, uint64_t offset, uint32_t size, tinyhil_page *page)
{
    tinyhil_serial *s = page->serial;
    uint64_t at = offset - page->offset;
    if (at == s->status_at && s->can_send != 0U) {
        if (s->at < s->end && s->damaged == 0U) {
            s->polls = 1;
            return s->can_send | s->flags | RXNE;
        }
        if (s->polls == 0U && s->damaged == 0U) {
            s->polls = 1; /* the usual question after a byte was sent: is there room for the next? */
            return s->can_send | s->flags;
        }
    } else if (at == s->receive_at && s->at < s->end && s->flags == 0U) {
        return s->in[s->at++];
    }
    return page->read(engine, offset, size, NULL);
}

EXPORT void tinyhil_serial_write(void *engine, uint64_t offset, uint32_t size, uint64_t value, tinyhil_page *page)
{
    tinyhil_serial *s = page->serial;
    if (offset - page->offset == s->transmit_at && s->can_send != 0U && s->sent + 1U < sizeof s->out) {
        s->out[s->sent++] = (uint8_t)value;
        s->polls = 0;
        return;
    }
    page->write(engine, offset, size, value, NULL);
}
