@timeout(800ms)
Feature: Stock never answers

  Scenario: reply dropped
    When I request "stock.asked":
      """
      {sku: tea, order: {id: o-1, simulate: "silent@stock"}}
      """
    Then I expect a reply:
      | field | value |
      | level | 3     |
