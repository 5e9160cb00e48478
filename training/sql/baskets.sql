-- One row per basket and item: what every other statement reads.
--
-- Nothing after `as_of_s` counts, so an old day can be trained again. Of a basket with more than 50
-- items the 50 with the most pieces stay: pairs grow with the square of a basket.
WITH bought AS (
    SELECT
        basket_id,
        item_id,
        MIN(customer_id) AS customer_id,
        MIN(at_s) AS at_s,
        SUM(quantity) AS quantity
    FROM purchases
    CROSS JOIN parameters
    WHERE at_s <= as_of_s
    GROUP BY basket_id, item_id
),
numbered AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY basket_id ORDER BY quantity DESC, item_id) AS place
    FROM bought
)
SELECT
    basket_id,
    item_id,
    customer_id,
    at_s,
    (as_of_s - at_s) / 86400 AS age_days
FROM numbered
CROSS JOIN parameters
WHERE place <= 50
