#include "hil_movable.h"

#include <string.h>

static tinyhil_reloc current;

tinyhil_reloc_status hil_movable_install(const tinyhil_reloc_files *files, void *arena, size_t arena_size)
{
    tinyhil_reloc_host host;
    tinyhil_reloc_this_core(&host);
    return tinyhil_reloc_install(&current, &host, files, arena, (uint32_t)arena_size);
}

const tinyhil_reloc_header *hil_movable_header(void)
{
    return current.header;
}

void hil_movable_forget(void)
{
    tinyhil_reloc_deinit(&current);
}

int32_t hil_movable_init(const uint8_t *file, uint32_t bytes, uint8_t *copy, void *arena, size_t arena_size)
{
    const uint8_t *at = copy == NULL ? file : copy;
    if ((const uint8_t *)current.header != at) { /* else it was checked, and only begins anew */
        if (copy != NULL) {
            memcpy(copy, file, bytes);
        }
        const tinyhil_reloc_files files = {at, bytes, NULL, 0};
        const tinyhil_reloc_status status = hil_movable_install(&files, arena, arena_size);
        if (status != TINYHIL_RELOC_OK) {
            return (int32_t)status;
        }
    }
    return tinyhil_reloc_init(&current);
}

int32_t hil_movable_invoke(void *context, hil_observer observer, void *user)
{
    (void)context; /* the record above has it */
    return tinyhil_reloc_invoke(&current, observer, user);
}
