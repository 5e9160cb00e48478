-- After how many days an item is bought again by the same customer: the (lower) median of the gaps,
-- to the nearest day. Gaps under a day are one purchase in two parts. The median stands for itself
-- even when some customers pause for a year, and ROW_NUMBER finds it in every engine.
WITH purchases_of_item AS (
    SELECT
        customer_id,
        item_id,
        at_s,
        ROW_NUMBER() OVER (PARTITION BY customer_id, item_id ORDER BY at_s, basket_id) AS nth
    FROM baskets
    WHERE customer_id IS NOT NULL
),
gaps AS (
    SELECT earlier.item_id, (later.at_s - earlier.at_s) / 86400 AS gap_days
    FROM purchases_of_item AS earlier
    INNER JOIN purchases_of_item AS later
        ON earlier.customer_id = later.customer_id
        AND earlier.item_id = later.item_id
        AND earlier.nth + 1 = later.nth
    WHERE later.at_s - earlier.at_s >= 86400
),
numbered AS (
    SELECT item_id, gap_days, ROW_NUMBER() OVER (PARTITION BY item_id ORDER BY gap_days) AS place
    FROM gaps
),
counted AS (
    SELECT item_id, COUNT(*) AS gap_count
    FROM gaps
    GROUP BY item_id
)
SELECT n.item_id, CAST(ROUND(n.gap_days) AS INTEGER) AS interval_days, c.gap_count
FROM numbered AS n
INNER JOIN counted AS c ON n.item_id = c.item_id
WHERE 2 * n.place >= c.gap_count AND 2 * n.place < c.gap_count + 2
ORDER BY n.item_id
