-- What sells: baskets with the item in the last 14 days, and in the last 90 for a shop too small to
-- fill 14. 2,000 items, not the few that a page shows: the ranking also asks "is it still sold?" of
-- everything it considers. Of equal items the one bought last comes first.
WITH windows AS (
    SELECT 14 AS window_days
    UNION ALL
    SELECT 90 AS window_days
),
counted AS (
    SELECT window_days, item_id, COUNT(*) AS basket_count, MAX(at_s) AS last_at_s
    FROM baskets
    CROSS JOIN windows
    WHERE age_days <= window_days
    GROUP BY window_days, item_id
),
numbered AS (
    SELECT
        *,
        ROW_NUMBER() OVER (
            PARTITION BY window_days ORDER BY basket_count DESC, last_at_s DESC, item_id
        ) AS place
    FROM counted
)
SELECT window_days, item_id, basket_count
FROM numbered
WHERE place <= 2000
ORDER BY window_days, place
