/* Counts executed instructions: a hook that the emulator calls before each basic block. Built on demand, see counting.py. */
#include <stddef.h>
#include <stdint.h>

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
} tinyhil_counter;

/* Thumb: a halfword from 0xE800 up begins an instruction of two. */
static uint32_t decode(const tinyhil_counter *counter, uint64_t address, uint64_t size)
{
    for (uint64_t i = 0; i < counter->region_count; i++) {
        uint64_t offset = address - counter->region_origin[i];
        if (address >= counter->region_origin[i] && offset + size <= counter->region_size[i]) {
            const uint8_t *bytes = counter->region_bytes[i] + offset;
            uint32_t count = 0;
            for (uint64_t at = 0; at < size; count++) {
                at += (uint32_t)bytes[at] + 256U * bytes[at + 1U] >= 0xE800U ? 4U : 2U;
            }
            return count;
        }
    }
    return (uint32_t)(size / 2U);
}

void tinyhil_block(void *engine, uint64_t address, uint32_t size, tinyhil_counter *counter)
{
    uint64_t key = address << 16 | size | 1ULL << 63;
    uint32_t slot = (uint32_t)(address >> 1) % SLOTS;
    if (counter->slot_key[slot] != key) {
        counter->slot_key[slot] = key;
        counter->slot_value[slot] = decode(counter, address, size);
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
