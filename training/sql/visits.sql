-- One row per step of a visit: what somebody looked at, in order. A pause of more than half an hour
-- ends a visit. Nothing after `as_of_s` counts, so an old day can be trained again.
WITH numbered AS (
    SELECT
        visitor_id,
        item_id,
        at_s,
        ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY at_s, entry_id) AS nth
    FROM views
    CROSS JOIN parameters
    WHERE at_s <= as_of_s
),
paused AS (
    SELECT
        *,
        CASE WHEN at_s - LAG(at_s, 1, at_s) OVER (PARTITION BY visitor_id ORDER BY nth) > 1800 THEN 1 ELSE 0 END
            AS pauses
    FROM numbered
),
parted AS (
    SELECT *, SUM(pauses) OVER (PARTITION BY visitor_id ORDER BY nth) AS visit FROM paused
)
SELECT
    visitor_id,
    visit,
    item_id,
    at_s,
    ROW_NUMBER() OVER (PARTITION BY visitor_id, visit ORDER BY nth) AS place
FROM parted
