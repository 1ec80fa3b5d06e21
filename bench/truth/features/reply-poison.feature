@timeout(800ms)
Feature: Stock answers with bytes that are not JSON

  Scenario: reply poison
    When I request "stock.asked":
      """
      {sku: tea, order: {id: o-1, simulate: "garbage@stock"}}
      """
    Then I expect a reply:
      | field | value |
      | level | 3     |
