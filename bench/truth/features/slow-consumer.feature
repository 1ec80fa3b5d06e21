@timeout(800ms)
Feature: Settlement takes one order after the other, too slowly for so many

  Scenario: slow consumer
    When I publish 8 "orders.placed" messages:
      """
      order: {id: "o-{{ index }}", currency: EUR, items: [{quantity: 2, price: 450}], simulate: "queued:250"}
      """
    Then I expect exactly 8 "orders.settled" messages within 900ms
