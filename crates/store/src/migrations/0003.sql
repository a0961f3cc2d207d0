-- Format 3: checksums (CRC-32) and numbers of rows, because SQLite does not check what its pages hold. Rows of earlier
-- formats have none until they are written again.
ALTER TABLE checkpoint ADD COLUMN rows INTEGER;
ALTER TABLE checkpoint ADD COLUMN chunks INTEGER;
ALTER TABLE checkpoint ADD COLUMN crc32 INTEGER;
ALTER TABLE checkpoint_row ADD COLUMN crc32 INTEGER;
ALTER TABLE checkpoint_chunk ADD COLUMN crc32 INTEGER;
ALTER TABLE model ADD COLUMN crc32 INTEGER;
