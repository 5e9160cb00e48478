-- Bought by the same customers: cosine between the customers of two items. A customer is the set of
-- the newest 50 items, each fading to 1/e in a year since it was last bought; a year, because what
-- belongs together for a customer shows over many baskets. `pair_count` is the number of customers.
-- Guests have no history and are left out.
--
-- Whole billionths, none below 1: see together.sql.
WITH bought AS (
    SELECT customer_id, item_id, MIN(age_days) AS age_days
    FROM baskets
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id, item_id
),
numbered_items AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY age_days, item_id) AS place
    FROM bought
),
faded AS (
    SELECT customer_id, item_id, EXP(-age_days / 365) AS fade
    FROM numbered_items
    WHERE place <= 50
),
items AS (
    SELECT item_id, SUM(GREATEST(CAST(1 AS BIGINT), CAST(ROUND(1e9 * fade * fade) AS BIGINT))) / 1e9 AS weight
    FROM faded
    GROUP BY item_id
),
pairs AS (
    SELECT
        l.item_id AS left_id,
        r.item_id AS right_id,
        COUNT(*) AS pair_count,
        SUM(GREATEST(CAST(1 AS BIGINT), CAST(ROUND(1e9 * l.fade * r.fade) AS BIGINT))) / 1e9 AS weight
    FROM faded AS l
    INNER JOIN faded AS r ON l.customer_id = r.customer_id AND l.item_id < r.item_id
    GROUP BY l.item_id, r.item_id
),
both_ways AS (
    SELECT left_id AS item_id, right_id AS other_id, pair_count, weight FROM pairs
    UNION ALL
    SELECT right_id AS item_id, left_id AS other_id, pair_count, weight FROM pairs
),
scored AS (
    SELECT p.item_id, p.other_id, p.weight / SQRT(i.weight * o.weight) AS score, p.pair_count
    FROM both_ways AS p
    INNER JOIN items AS i ON p.item_id = i.item_id
    INNER JOIN items AS o ON p.other_id = o.item_id
    CROSS JOIN thresholds
    WHERE p.pair_count >= pair_count_min
),
numbered AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY item_id ORDER BY score DESC, other_id) AS place
    FROM scored
)
SELECT item_id, other_id, score, pair_count
FROM numbered
WHERE place <= 50
ORDER BY item_id, place
