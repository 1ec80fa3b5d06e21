@timeout(800ms)
Feature: Stock sends its answer to an address that nobody has given

  Scenario: reply to the wrong inbox
    When I request "stock.asked":
      """
      {sku: tea, order: {id: o-1, simulate: "astray@stock"}}
      """
    Then I expect a reply:
      | field | value |
      | level | 3     |
