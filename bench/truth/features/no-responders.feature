@timeout(800ms)
Feature: Nobody serves the request

  Scenario: no responders
    When I request "stock.nobody":
      """
      {sku: tea, order: {id: o-1}}
      """
    Then I expect a reply:
      | field | value |
      | level | 3     |
