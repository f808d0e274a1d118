"""The statement that completes a video: its row, the attempt, the Master, its Mark, the Renditions, the pace."""

from __future__ import annotations

from typing import Final

# `busy_ms` is how long this clip kept its worker: waits are told from the median of the latest twenty.
FINISH: Final = """
WITH done AS (
    UPDATE generation_video
    SET state = 'completed', completed_prompt = %(completed_prompt)s, ignored_words = %(ignored_words)s::varchar[],
        finished_at = %(now)s, lease_worker = '', lease_token = NULL, lease_expires_at = NULL
    WHERE lease_token = %(lease)s AND state = 'in_progress'
    RETURNING id, variant_id, membership_id, width, height, seconds
), ended AS (
    UPDATE generation_attempt attempt
    SET ended_at = %(now)s, "end" = 'finished', checkpoint_digest = %(digest)s, model = %(model)s,
        variant_name = %(variant_name)s, worker_kind = %(kind)s, batch = %(batch)s, place = %(place)s,
        rung = %(rung)s, render_ms = %(render_ms)s, encode_ms = %(encode_ms)s
    FROM done WHERE attempt.video_id = done.id AND attempt.lease_token = %(lease)s
    RETURNING attempt.id, attempt.video_id
), master AS (
    INSERT INTO generation_master (video_id, attempt_id, frames_sha256, frame_count, native_width, native_height,
                                   native_frames, windows, source_key, source_sha256, source_bytes, method, created_at)
    SELECT ended.video_id, ended.id, %(frames_sha256)s, %(frame_count)s, %(native_width)s, %(native_height)s,
           %(native_frames)s, %(windows)s, %(source_key)s, %(source_sha256)s, %(source_bytes)s, %(method)s, %(now)s
    FROM ended
    RETURNING id
), mark AS (
    INSERT INTO generation_mark (number, codeword, master_id, purpose, recipient, key_epoch, made_at)
    SELECT %(mark_number)s, %(mark_codeword)s, master.id, 'master', 'user:' || person.public_id, %(mark_epoch)s,
           %(now)s
    FROM master
    JOIN done ON true
    JOIN programme_membership member ON member.id = done.membership_id
    JOIN accounts_user person ON person.id = member.user_id
    WHERE %(mark_number)s::bigint IS NOT NULL
    RETURNING id
), shown AS (
    INSERT INTO generation_rendition (public_id, master_id, kind, sha256, bytes, media_type, width, height,
                                      storage_key, created_at, mark_id)
    SELECT file.public_id, master.id, file.kind, file.sha256, file.bytes, file.media_type, file.width,
           file.height, file.storage_key, %(now)s, mark.id
    FROM master LEFT JOIN mark ON true,
         unnest(%(ids)s::text[], %(kinds)s::text[], %(digests)s::text[], %(sizes)s::bigint[],
                %(types)s::text[], %(widths)s::int[], %(heights)s::int[], %(keys)s::text[])
         AS file(public_id, kind, sha256, bytes, media_type, width, height, storage_key)
), paced AS (
    INSERT INTO generation_pace AS pace (variant_id, kind, width, height, seconds, latest, median)
    SELECT variant_id, %(kind)s, width, height, seconds, ARRAY[%(busy_ms)s::int], %(busy_ms)s FROM done
    ON CONFLICT (variant_id, kind, width, height, seconds) DO UPDATE
    SET latest = (excluded.latest || pace.latest)[1:20],
        median = (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY took)
                  FROM unnest((excluded.latest || pace.latest)[1:20]) took)
)
SELECT id FROM done
"""
