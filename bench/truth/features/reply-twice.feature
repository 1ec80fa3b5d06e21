@timeout(800ms)
Feature: Stock answers one request twice

  Scenario: reply twice
    When I request "stock.asked":
      """
      {sku: tea, order: {id: o-1, simulate: "twice@stock"}}
      """
    Then I expect a reply:
      | field | value |
      | level | 3     |
    And I expect nothing else for 400ms
