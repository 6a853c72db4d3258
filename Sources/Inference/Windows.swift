import ModelFiles

extension ModelConfiguration {
    /// How many positions a token sees in each layer, itself included; nil is all.
    /// - Parameter rule: which layers have a window if the configuration does not list them.
    func windows(_ rule: (_ layer: Int) -> Bool) -> [Int?] {
        (0..<layerCount).map { windowedLayers?[$0] ?? rule($0) ? slidingWindow : nil }
    }
}

extension [Int?] {
    /// The widest of the windows; nil if a layer has none.
    var widest: Int? {
        let windows = compactMap { $0 }
        return windows.count == count ? windows.max() : nil
    }
}
