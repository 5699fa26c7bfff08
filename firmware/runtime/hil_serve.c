/* The way of every request to its handler. */
#include "hil_answer.h"
#include "hil_handlers.h"
#include "hil_port.h"
#include "hil_request.h"
#include "hil_run.h"

static void carry_out(uint8_t command, const uint8_t *body, size_t size); /* which serves on while a run is stopped */

static void begin(const hil_receiver *request)
{
    hil_begin(request->content[0], hil_get16(request->content + 1));
}

static void handle(const hil_receiver *request)
{
    begin(request);
    carry_out(request->content[0], request->content + HIL_FRAME_HEAD, request->size - HIL_FRAME_HEAD);
}

/* Requests while a run is stopped after a layer; false when the host gave the run up. */
static bool serve_stopped(void)
{
    for (;;) {
        const hil_receiver *request = hil_next_request();
        switch (request->content[0]) {
        case HIL_CONTINUE:
            begin(request);
            if (hil_is_stopped_at(request->content + HIL_FRAME_HEAD, request->size - HIL_FRAME_HEAD)) {
                hil_accept();
                return true;
            }
            hil_answer(HIL_BAD_STATE, 0);
            break;
        case HIL_INIT:
        case HIL_WRITE:
        case HIL_INVOKE:
        case HIL_PUT:
        case HIL_INSTALL:
            hil_hold_frame(); /* the host moved on: wind the run up first */
            return false;
        default:
            handle(request);
            break;
        }
    }
}

static void carry_out(uint8_t command, const uint8_t *body, size_t size)
{
    switch (command) {
    case HIL_HELLO: hil_do_hello(body, size); break;
    case HIL_MODEL: hil_do_model(body, size); break;
    case HIL_INIT: hil_do_init(body, size); break;
    case HIL_WRITE: hil_do_write(body, size); break;
    case HIL_INVOKE: hil_do_invoke(body, size, serve_stopped); break;
    case HIL_CONTINUE: hil_answer(HIL_BAD_STATE, 0); break;
    case HIL_READ: hil_do_read(body, size); break;
    case HIL_WATERMARK: hil_do_watermark(); break;
    case HIL_GAPS: hil_do_gaps(body, size); break;
    case HIL_BAUD: hil_do_baud(body, size); break;
    case HIL_LINE: hil_do_line(); break;
    case HIL_RESET:
        hil_answer(HIL_OK, 0);
        hil_port_reset();
#ifdef HIL_INSTALLS
    case HIL_SLOT: hil_do_slot(); break;
    case HIL_PUT: hil_do_put(body, size); break;
    case HIL_INSTALL: hil_do_install(body, size); break;
#endif
#ifdef HIL_TEST_FAULTS
    case HIL_TEST: hil_do_test(body, size); break;
#endif
    default: hil_answer(HIL_BAD_COMMAND, 0); break;
    }
}

_Noreturn void hil_main(void)
{
    hil_calibrate();
    hil_tell(HIL_READY);
    for (;;) {
        handle(hil_next_request());
    }
}
