BEGIN TRANSACTION;
CREATE TABLE bundles (
            id INTEGER PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the results document
            at REAL NOT NULL,  -- seconds since 1970, UTC
            added REAL NOT NULL,
            session TEXT NOT NULL DEFAULT '',
            revision TEXT NOT NULL DEFAULT '',
            dirty INTEGER NOT NULL DEFAULT 0,
            branch TEXT NOT NULL DEFAULT '',
            verdict TEXT NOT NULL,
            command TEXT NOT NULL DEFAULT '',
            tools TEXT NOT NULL DEFAULT '{}',
            environment TEXT NOT NULL DEFAULT '{}',
            source TEXT NOT NULL DEFAULT ''
        );
INSERT INTO "bundles" VALUES(1,'98249e5b348d985dd4b881afeea570bfe6049a7372225f87e3817e149f24a179',1767236400.0,1.79606404281683063508e+09,'first','47c8e22cd9657bbeb1607d2693e0318ecbb7800e',0,'main','pass','tinyhil nightly farm.yaml','{"tinyhil":"0.1.0","arm compiler":"arm-none-eabi-gcc 12.2.1"}','{"machine":"lab","ci":""}','');
CREATE TABLE figures (
            id INTEGER PRIMARY KEY, metric TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (metric, unit)
        );
INSERT INTO "figures" VALUES(1,'time','instructions');
INSERT INTO "figures" VALUES(2,'arena','bytes');
INSERT INTO "figures" VALUES(3,'stack','bytes');
INSERT INTO "figures" VALUES(4,'flash','bytes');
INSERT INTO "figures" VALUES(5,'constants','bytes');
INSERT INTO "figures" VALUES(6,'outputs.max_lsb','LSB');
INSERT INTO "figures" VALUES(7,'outputs.differing','elements');
INSERT INTO "figures" VALUES(8,'layers.differing','layers');
INSERT INTO "figures" VALUES(9,'macs','MACs');
INSERT INTO "figures" VALUES(10,'flash.text','bytes');
INSERT INTO "figures" VALUES(11,'flash.rodata','bytes');
INSERT INTO "figures" VALUES(12,'ram.data','bytes');
INSERT INTO "figures" VALUES(13,'ram.bss','bytes');
CREATE TABLE judgements (
            run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            base INTEGER,  -- the run that it was compared with
            verdict TEXT NOT NULL,  -- improved, unchanged, regressed, unstable, accepted
            at REAL NOT NULL
        );
CREATE TABLE layer_values (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            figure INTEGER NOT NULL REFERENCES figures (id),
            numbers TEXT NOT NULL,  -- JSON list by layer
            PRIMARY KEY (run, figure)
        );
INSERT INTO "layer_values" VALUES(1,1,'[315743,60801,168082]');
CREATE TABLE layouts (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, layers TEXT NOT NULL);
INSERT INTO "layouts" VALUES(1,'2bb053c32531c9446f16fd64e94ddec43aee3f7ea587e23a0b9992510352c12a','[{"name":"conv_2d_00","op":"CONV_2D","kernel":"conv_s8","macs":157871,"operators":[0],"tflm":{"reference":2841687}},{"name":"conv_2d_01","op":"CONV_2D","kernel":"conv_s8","macs":30400,"operators":[1],"tflm":{"reference":547209}},{"name":"conv_2d_02","op":"CONV_2D","kernel":"conv_s8","macs":84041,"operators":[2],"tflm":{"reference":1512738}}]');
CREATE TABLE run_values (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            figure INTEGER NOT NULL REFERENCES figures (id),
            value NUMERIC NOT NULL,
            samples TEXT,  -- JSON list, where it was measured more than once
            PRIMARY KEY (run, figure)
        ) WITHOUT ROWID;
INSERT INTO "run_values" VALUES(1,1,544626,NULL);
INSERT INTO "run_values" VALUES(1,2,8907,NULL);
INSERT INTO "run_values" VALUES(1,3,400,NULL);
INSERT INTO "run_values" VALUES(1,4,18000,NULL);
INSERT INTO "run_values" VALUES(1,5,8400,NULL);
INSERT INTO "run_values" VALUES(1,6,0,NULL);
INSERT INTO "run_values" VALUES(1,7,0,NULL);
INSERT INTO "run_values" VALUES(1,8,0,NULL);
INSERT INTO "run_values" VALUES(1,9,220000,NULL);
INSERT INTO "run_values" VALUES(1,10,8100,NULL);
INSERT INTO "run_values" VALUES(1,11,9000,NULL);
INSERT INTO "run_values" VALUES(1,12,0,NULL);
INSERT INTO "run_values" VALUES(1,13,8907,NULL);
CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            bundle INTEGER NOT NULL REFERENCES bundles (id) ON DELETE CASCADE,
            subject INTEGER NOT NULL REFERENCES subjects (id),
            verdict TEXT NOT NULL,
            why TEXT NOT NULL DEFAULT '',
            facts TEXT NOT NULL DEFAULT '{}',
            layout INTEGER REFERENCES layouts (id)
        );
INSERT INTO "runs" VALUES(1,1,1,'pass','','{"model_sha256":"6fa0db6c697dbf76c10bac09edf7d0d0b2261c505dfa5e4af57c842c023bf497","model_file":"cards/kws.tflite","model_bytes":9,"core":"cortex-m7","backend":"pyocd","clock_hz":480000000,"asked":"mps2-an386","oracle":"tflm 1","vectors":"abababababababababababababababababababababababababababababababab","vectors_count":20,"build_id":"0123456789abcdef","image_sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","toolchain":"arm-none-eabi-gcc 12.2.1","chip":{"flash":{"size":2097152,"used":28000},"ram":{"size":524288,"used":20000}},"budgets":{"arena":{"measured":8907,"limit":9907,"unit":"bytes"}},"tflm":{"reference":{"unit":"instructions","time":4901634,"arena":70000}}}',1);
CREATE TABLE subjects (
            id INTEGER PRIMARY KEY,
            model TEXT NOT NULL, board TEXT NOT NULL, mode TEXT NOT NULL, runtime TEXT NOT NULL,
            UNIQUE (model, board, mode, runtime)
        );
INSERT INTO "subjects" VALUES(1,'kws','mps2-an386','balanced','tinyhil');
CREATE INDEX bundles_at ON bundles (at);
CREATE INDEX runs_bundle ON runs (bundle);
CREATE INDEX runs_subject ON runs (subject, id);
CREATE VIEW layer_rows AS
            SELECT v.run, f.metric, f.unit, e.key AS layer, e.value
            FROM layer_values v JOIN figures f ON f.id = v.figure, json_each(v.numbers) e
            WHERE e.value IS NOT NULL;
CREATE INDEX bundles_session ON bundles (session);
COMMIT;
PRAGMA application_id = 1953066617;
PRAGMA user_version = 2;
