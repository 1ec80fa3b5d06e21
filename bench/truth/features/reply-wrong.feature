@timeout(800ms)
Feature: Stock answers with a level that is one too high

  Scenario: reply wrong
    When I request "stock.asked":
      """
      {sku: tea, order: {id: o-1, simulate: "wrong:level@stock"}}
      """
    Then I expect a reply:
      | field | value |
      | level | 3     |
