/* Handlers of requests: each takes a request's body and sends the answer. */
#ifndef HIL_HANDLERS_H
#define HIL_HANDLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- hil_describe.c ---------------------------------------------------------------------------------------------- */

void hil_do_hello(const uint8_t *body, size_t size);
void hil_do_model(const uint8_t *body, size_t size);

/* --- hil_run.c --------------------------------------------------------------------------------------------------- */

/* Serves requests while a run is stopped after a layer; false when the host gave the run up. */
typedef bool hil_stopped_server(void);

void hil_do_init(const uint8_t *body, size_t size);
void hil_do_invoke(const uint8_t *body, size_t size, hil_stopped_server *serve_stopped);

/* --- hil_data.c -------------------------------------------------------------------------------------------------- */

void hil_do_write(const uint8_t *body, size_t size);
void hil_do_read(const uint8_t *body, size_t size);
void hil_do_watermark(void);
void hil_do_gaps(const uint8_t *body, size_t size);

/* --- hil_line.c -------------------------------------------------------------------------------------------------- */

void hil_do_baud(const uint8_t *body, size_t size);
void hil_do_line(void);

/* --- firmware/movable/hil_install.c, only with HIL_INSTALLS ------------------------------------------------------- */

void hil_do_slot(void);
void hil_do_put(const uint8_t *body, size_t size);
void hil_do_install(const uint8_t *body, size_t size);

/* --- hil_provoke.c, only with HIL_TEST_FAULTS -------------------------------------------------------------------- */

void hil_do_test(const uint8_t *body, size_t size);

#endif
