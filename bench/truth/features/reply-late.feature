@timeout(2s)
Feature: Stock takes longer to answer than is allowed

  Scenario: reply late
    When I request "stock.asked":
      """
      {sku: tea, order: {id: o-1, simulate: "slow:400@stock"}}
      """
    Then I expect a reply within 200ms:
      | field | value |
      | level | 3     |
